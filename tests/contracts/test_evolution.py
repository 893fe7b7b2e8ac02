"""Contracts change with their versions, and what was written before stays readable."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from omniva_dagster.cli.schemas import schemas as command
from omniva_dagster.contracts import migrations
from omniva_dagster.contracts.changes import Bump, changes
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.evolution import Release, compare, suffices
from omniva_dagster.contracts.migrations import MIGRATIONS, read
from omniva_dagster.contracts.schema import schema_files, version_of
from tests.contracts.support import ROOT, example, schemas, without

RELEASED = sorted((ROOT / "schemas/released").glob("*/*/*.json"))
Edit = Callable[[dict[str, Any]], Any]


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]
    return found


def field(name: str, **keywords: Any) -> Edit:
    """Set keywords of a field; one that is None is taken away."""

    def edit(schema: dict[str, Any]) -> None:
        for keyword, value in keywords.items():
            if value is None:
                properties(schema)[name].pop(keyword)
            else:
                properties(schema)[name][keyword] = value

    return edit


def added(name: str, *, required: bool) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        properties(schema)[name] = {"type": "string"}
        schema["required"] += [name] if required else []

    return edit


# What is changed in UploadJob, the step it needs, and where it is found.
RULES: dict[str, tuple[Edit, Bump, str]] = {
    "field removed": (
        lambda schema: properties(schema).pop("keywords"),
        Bump.MAJOR,
        "/properties/keywords",
    ),
    "required field added": (added("mood", required=True), Bump.MAJOR, "/properties/mood"),
    "optional field added": (added("mood", required=False), Bump.MINOR, "/properties/mood"),
    "field made required": (
        lambda schema: schema["required"].append("yt_video_id"),
        Bump.MAJOR,
        "/required",
    ),
    "field made optional": (
        lambda schema: schema["required"].remove("title"),
        Bump.MINOR,
        "/required",
    ),
    "type changed": (field("title", type="integer"), Bump.MAJOR, "/properties/title/type"),
    "value taken away": (
        field("privacy_status", enum=["public", "unlisted"]),
        Bump.MAJOR,
        "/properties/privacy_status/enum",
    ),
    "value added": (
        field("privacy_status", enum=["public", "unlisted", "private", "hidden"]),
        Bump.MINOR,
        "/properties/privacy_status/enum",
    ),
    "values no longer listed": (
        field("privacy_status", enum=None),
        Bump.MINOR,
        "/properties/privacy_status/enum",
    ),
    "values listed": (field("title", enum=["a"]), Bump.MAJOR, "/properties/title/enum"),
    "one value left": (
        field("privacy_status", enum=None, const="public"),
        Bump.MAJOR,
        "/properties/privacy_status/const",
    ),
    "bound narrowed": (field("title", maxLength=100), Bump.MAJOR, "/properties/title/maxLength"),
    "bound widened": (field("title", maxLength=200), Bump.MINOR, "/properties/title/maxLength"),
    "bound added": (field("title", minLength=1), Bump.MAJOR, "/properties/title/minLength"),
    "bound removed": (field("title", maxLength=None), Bump.MINOR, "/properties/title/maxLength"),
    "items narrowed": (
        field("keywords", items={"type": "string", "minLength": 1}),
        Bump.MAJOR,
        "/properties/keywords/items/minLength",
    ),
    "items made unique": (
        field("keywords", uniqueItems=True),
        Bump.MAJOR,
        "/properties/keywords/uniqueItems",
    ),
    "pattern added": (field("title", pattern="^a"), Bump.MAJOR, "/properties/title/pattern"),
    "pattern changed": (
        field("clip_id", pattern="^[0-9a-f]{36}$"),
        Bump.MAJOR,
        "/properties/clip_id/pattern",
    ),
    "pattern removed": (field("clip_id", pattern=None), Bump.MINOR, "/properties/clip_id/pattern"),
    "default added": (field("title", default=""), Bump.MINOR, "/properties/title/default"),
    "object opened": (
        lambda schema: schema.pop("additionalProperties"),
        Bump.MINOR,
        "/additionalProperties",
    ),
    "unknown keyword added": (
        lambda schema: schema.update(dependentRequired={"title": ["keywords"]}),
        Bump.MAJOR,
        "/dependentRequired",
    ),
    "rule added": (
        lambda schema: schema.update(
            allOf=[
                {
                    "if": {"properties": {"privacy_status": {"const": "public"}}},
                    "then": {"required": ["yt_video_id"]},
                }
            ]
        ),
        Bump.MAJOR,
        "/allOf/0",
    ),
    "words changed": (
        field("title", description="Other words."),
        Bump.PATCH,
        "/properties/title/description",
    ),
}


def changed(name: str, edit: Edit) -> dict[str, Any]:
    schema = copy.deepcopy(schemas()[name])
    edit(schema)
    return schema


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("rule", RULES)
def test_a_change_names_where_it_is_and_the_step_it_needs(rule: str) -> None:
    edit, bump, where = RULES[rule]
    found = list(changes(schemas()["UploadJob"], changed("UploadJob", edit)))
    assert [(change.pointer, change.bump) for change in found] == [(where, bump)], found
    assert found[0].what


OPPOSITES = (
    ("optional field added", Bump.MAJOR),
    ("value added", Bump.MAJOR),
    ("values listed", Bump.MINOR),
    ("bound narrowed", Bump.MINOR),
    ("bound added", Bump.MINOR),
    ("pattern added", Bump.MINOR),
    ("default added", Bump.MAJOR),
    ("object opened", Bump.MAJOR),
    ("rule added", Bump.MINOR),
    ("words changed", Bump.PATCH),
)


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize(("rule", "bump"), OPPOSITES)
def test_taken_back_a_change_needs_the_opposite(rule: str, bump: Bump) -> None:
    edit = RULES[rule][0]
    found = list(changes(changed("UploadJob", edit), schemas()["UploadJob"]))
    assert [change.bump for change in found] == [bump], found


def test_an_integer_made_a_number_is_wider_and_the_reverse_narrower() -> None:
    whole, any_number = {"type": "integer"}, {"type": "number"}
    assert [change.bump for change in changes(whole, any_number)] == [Bump.MINOR]
    assert [change.bump for change in changes(any_number, whole)] == [Bump.MAJOR]


def test_a_rule_that_speaks_of_a_new_value_only_narrows_nothing() -> None:
    def edit(schema: dict[str, Any]) -> None:
        properties(schema)["privacy_status"]["enum"].append("hidden")
        rule = {"properties": {"privacy_status": {"const": "hidden"}}}
        schema["allOf"] = [{"if": rule, "then": {"required": ["yt_video_id"]}}]

    found = changes(schemas()["UploadJob"], changed("UploadJob", edit))
    assert {change.bump for change in found} == {Bump.MINOR}


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_has_not_changed_from_itself(name: str) -> None:
    assert list(changes(schemas()[name], copy.deepcopy(schemas()[name]))) == []


@pytest.mark.parametrize(
    ("before", "after", "needs", "enough"),
    [
        ("1.2.3", "1.2.3", None, True),
        ("1.2.3", "1.2.3", Bump.PATCH, True),
        ("1.2.3", "1.2.4", Bump.MINOR, False),
        ("1.2.3", "1.3.0", Bump.MINOR, True),
        ("1.9.0", "1.10.0", Bump.MINOR, True),
        ("1.2.3", "2.0.0", Bump.MINOR, True),
        ("1.2.3", "1.3.0", Bump.MAJOR, False),
        ("1.2.3", "2.0.0", Bump.MAJOR, True),
        ("1.2.3", "1.2.2", None, False),
    ],
)
def test_a_version_must_go_up_by_what_the_change_needs(
    before: str, after: str, needs: Bump | None, enough: bool
) -> None:
    assert suffices(before, after, needs) is enough


def release(**edits: Edit) -> Release:
    """The schemas of today as they were before some edits."""
    today = Release.of(schema_files())
    kept = {
        name: changed(name, edits[name]) if name in edits else schema
        for name, schema in today.schemas.items()
    }
    return Release(kept, today.versions)


def test_a_message_that_holds_another_changes_with_it_and_an_envelope_does_not() -> None:
    before = release(ClipCandidate=lambda schema: properties(schema).pop("semantic_tags"))
    verdicts = {verdict.name: verdict for verdict in compare(before, release())}
    assert "Envelope" not in verdicts
    (held,) = verdicts["AnalysisResult"].changes
    assert held.pointer == "/properties/clip_candidates/items/$ref"
    assert held.bump is verdicts["ClipCandidate"].needs
    assert not verdicts["AnalysisResult"].bumped
    # And what holds what holds it.
    assert verdicts["AnalysisPublished"].needs is held.bump


def test_a_task_changes_with_the_payload_of_one_of_its_types() -> None:
    before = release(FetchTrendsPayload=lambda schema: properties(schema).pop("limit"))
    verdicts = {verdict.name: verdict for verdict in compare(before, release())}
    assert verdicts["AgentTask"].needs is verdicts["FetchTrendsPayload"].needs


def test_a_message_that_came_is_fine_and_one_that_went_needs_a_new_major_of_all() -> None:
    few = Release(
        {name: schema for name, schema in release().schemas.items() if name != "Outcome"},
        {name: version for name, version in release().versions.items() if name != "Outcome"},
    )
    (came,) = compare(few, release())
    assert (came.name, came.needs, came.bumped) == ("Outcome", Bump.MINOR, True)
    (went,) = compare(release(), few)
    assert (went.name, went.needs, went.bumped) == ("Outcome", Bump.MAJOR, False)
    raised = Release(few.schemas, dict.fromkeys(few.versions, "2.0.0"))
    assert {verdict.bumped for verdict in compare(release(), raised)} == {True}


# The command.


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder of schemas in which a bound of Outcome was wider and Directive had other words."""
    folder = tmp_path / "schemas"
    assert run("export", "--out", folder).exit_code == 0
    rewrite(folder, "Outcome", field("attempt", minimum=0))
    rewrite(folder, "Directive", field("reason", description="Once in other words."))
    return folder


def rewrite(folder: Path, name: str, edit: Edit) -> None:
    (folder / f"{name}.json").write_text(json.dumps(changed(name, edit)))


def set_version(folder: Path, name: str, version: str) -> None:
    index = json.loads((folder / "index.json").read_text())
    for entry in index["types"]:
        entry["schema_version"] = version if entry["name"] == name else entry["schema_version"]
    (folder / "index.json").write_text(json.dumps(index))


@pytest.mark.spec("CON-8")
def test_a_change_without_its_version_fails_the_check_and_is_named(earlier: Path) -> None:
    checked = run("check", "--against", earlier)
    assert checked.exit_code == 1
    assert checked.output.splitlines() == [
        "Directive 1.1.0 -> 1.1.0",
        "  patch /properties/reason/description: description was reworded",
        "Outcome 1.0.0 -> 1.0.0: the version is too low",
        "  major /properties/attempt/minimum: minimum was 0, is 1",
        "2 messages changed, 1 without the version they need",
    ]


@pytest.mark.spec("CON-8")
def test_a_change_with_its_version_passes_the_check(earlier: Path) -> None:
    set_version(earlier, "Outcome", "0.9.0")
    checked = run("check", "--against", earlier)
    assert checked.exit_code == 0
    assert "Outcome 0.9.0 -> 1.0.0\n" in checked.output


def test_programs_get_each_change_with_pointer_and_step(earlier: Path) -> None:
    checked = run("check", "--json", "--against", earlier)
    assert checked.exit_code == 1
    found = json.loads(checked.output)
    assert found["compatible"] is False
    assert found["messages"][1] == {
        "message": "Outcome",
        "before": "1.0.0",
        "after": "1.0.0",
        "needs": "major",
        "bumped": False,
        "changes": [
            {
                "pointer": "/properties/attempt/minimum",
                "needs": "major",
                "what": "minimum was 0, is 1",
            }
        ],
    }


def test_the_schemas_of_a_commit_are_compared_with(earlier: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", "-C", earlier.parent, *who, *arguments], check=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "Schemas")
    git("tag", "v1")
    run("export", "--out", earlier)
    checked = run("check", "--out", earlier, "--against", "v1")
    assert checked.exit_code == 1
    assert "/properties/attempt/minimum: minimum was 0, is 1" in checked.output
    assert run("check", "--out", earlier).exit_code == 0
    for unknown in ("v2", "--output=x", "v1 --output=x"):
        refused = run("check", "--out", earlier, f"--against={unknown}")
        assert refused.exit_code == 2
        assert "no such commit" in refused.output


@pytest.mark.parametrize(
    "index",
    [
        "{",
        "[]",
        '{"types": [{"name": "A", "file": "../secret.json", "schema_version": "1.0.0"}]}',
        '{"types": [{"name": "A", "file": "UploadJob.json", "schema_version": "one"}]}',
        '{"types": [{"name": "A", "file": "Absent.json", "schema_version": "1.0.0"}]}',
    ],
)
def test_a_folder_that_is_none_of_schemas_is_a_usage_error(index: str, earlier: Path) -> None:
    (earlier / "index.json").write_text(index)
    (earlier.parent / "secret.json").write_text("{}")
    assert run("check", "--against", earlier).exit_code == 2


def test_a_released_example_is_kept_once_and_never_changed(earlier: Path) -> None:
    examples = earlier / "examples"
    examples.mkdir()
    path = examples / "UploadJob.json"
    path.write_text(json.dumps(example("UploadJob")))
    assert "1 new" in run("release", "--out", earlier, "UploadJob").output
    assert "0 new" in run("release", "--out", earlier, "UploadJob").output
    path.write_text(json.dumps(without("UploadJob", title="Another")))
    assert "1 new" in run("release", "--out", earlier, "UploadJob").output
    kept = earlier / f"released/{version_of_name('UploadJob')}/UploadJob"
    titles = [json.loads(each.read_text())["title"] for each in sorted(kept.iterdir())]
    assert titles == [example("UploadJob")["title"], "Another"]
    path.write_text("{}")
    assert isinstance(run("release", "--out", earlier, "UploadJob").exception, ContractError)


def version_of_name(name: str) -> str:
    return version_of(migrations.message_type(name))


# What was written before.


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: "-".join(path.parts[-3:]))
def test_what_was_released_is_still_read(path: Path) -> None:
    version, name = path.parts[-3:-1]
    read(name, path.read_bytes(), version=version)


def test_every_message_of_the_first_release_is_among_the_released() -> None:
    first = {path.parts[-2] for path in RELEASED if path.parts[-3] == "1.0.0"}
    assert {"ScraperJob", "ClipCandidate", "UploadJob", "PublicationReceipt", "Envelope"} <= first


def as_of(monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    """Let a contract be of another version today."""
    monkeypatch.setattr(
        migrations, "version_of", lambda model: version if model.__name__ == name else "1.0.0"
    )


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> str:
    """Outcome is of 1.2: until 1.0 `stage` was `step`, until 1.1 `attempt` counted from zero."""

    def renamed(document: dict[str, Any]) -> dict[str, Any]:
        document["stage"] = document.pop("step")
        return document

    def from_one(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "attempt": document["attempt"] + 1}

    as_of(monkeypatch, "Outcome", "1.2.0")
    monkeypatch.setitem(MIGRATIONS, "Outcome", {(1, 1): from_one, (1, 0): renamed})
    return "Outcome"


OF_1_0 = {**without("Outcome", "stage", attempt=0), "step": "clips", "schema_version": "1.0.3"}
OF_1_1 = without("Outcome", stage="clips", attempt=0, schema_version="1.1.0")
OF_1_2 = without("Outcome", stage="clips", attempt=1, schema_version="1.2.0")


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("document", [OF_1_0, OF_1_1, OF_1_2], ids=["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("form", [dict, json.dumps, lambda value: json.dumps(value).encode()])
def test_an_older_minor_is_migrated_step_by_step(migrated: str, document: Any, form: Any) -> None:
    before = copy.deepcopy(document)
    assert read(migrated, form(document)).dump() == OF_1_2
    assert document == before


@pytest.mark.spec("CON-8")
def test_a_newer_minor_is_not_migrated(migrated: str) -> None:
    newer = {**OF_1_2, "schema_version": "1.7.0"}
    assert read(migrated, newer).dump() == newer


@pytest.mark.spec("CON-8")
def test_a_payload_is_migrated_in_its_envelope(migrated: str) -> None:
    envelope = without("Envelope", message_type=migrated, schema_version="1.0.3", payload=OF_1_0)
    found = read("Envelope", json.dumps(envelope)).dump()
    assert (found["schema_version"], found["payload"]) == ("1.2.0", OF_1_2)
    twice = {**envelope, "message_type": "Envelope", "payload": envelope}
    assert read("Envelope", twice).dump()["payload"] == found


@pytest.mark.spec("CON-8")
def test_an_object_without_a_version_is_read_as_of_the_one_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_of(monkeypatch, "UploadJob", "1.1.0")
    cut = {(1, 0): lambda job: {**job, "title": job["title"][:120]}}
    monkeypatch.setitem(MIGRATIONS, "UploadJob", cut)
    long = without("UploadJob", title="a" * 150)
    assert read("UploadJob", long, version="1.0.0").dump()["title"] == "a" * 120
    with pytest.raises(ContractError, match="at most 120"):
        read("UploadJob", long)
    envelope = without("Envelope", message_type="UploadJob", schema_version="1.0.0", payload=long)
    assert read("Envelope", envelope).dump()["schema_version"] == "1.1.0"


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("version", ["0.9.0", "2.0.0", "11.0.0"])
def test_an_unknown_major_is_refused_with_those_that_are_read(version: str) -> None:
    with pytest.raises(ContractError) as caught:
        read("Outcome", without("Outcome", schema_version=version))
    (fault,) = caught.value.faults
    assert fault["pointer"] == "/schema_version"
    assert "Outcome is read in 1.x.y" in fault["message"]
    payload = without("Outcome", schema_version=version)
    envelope = without("Envelope", message_type="Outcome", schema_version=version, payload=payload)
    with pytest.raises(ContractError) as caught:
        read("Envelope", envelope)
    assert caught.value.faults[0]["pointer"] == "/payload/schema_version"


@pytest.mark.parametrize("broken", [{"schema_version": "1.0.0"}, {"step": 1, "attempt": "x"}])
def test_what_a_migration_can_not_bring_forward_is_refused(
    migrated: str, broken: dict[str, Any]
) -> None:
    with pytest.raises(ContractError, match=r"can't be brought to 1\.2\.0"):
        read(migrated, broken)


@pytest.mark.parametrize("raw", ["", "[]", "{", b"\xff", '{"a": 1, "a": 2}', "[" * 100_000, "1"])
@pytest.mark.parametrize("name", ["Outcome", "Envelope"])
def test_what_is_no_message_is_refused_as_by_parse(name: str, raw: Any) -> None:
    with pytest.raises(ContractError):
        read(name, raw)


@pytest.mark.parametrize("value", [1, None, "one", "1.0", ["1.0.0"], "9" * 5000 + ".0.0"])
def test_a_version_that_is_none_is_a_fault_not_a_crash(value: Any) -> None:
    with pytest.raises(ContractError):
        read("Outcome", without("Outcome", schema_version=value))


def test_envelopes_nested_beyond_reading_are_refused_not_a_crash() -> None:
    text = json.dumps(example("Envelope"))
    outer = json.dumps(without("Envelope", message_type="Envelope", payload="HERE"))
    for _ in range(700):
        text = outer.replace('"HERE"', text)
    with pytest.raises(ContractError, match="nested too deeply"):
        read("Envelope", text)
