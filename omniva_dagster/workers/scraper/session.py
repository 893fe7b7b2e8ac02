"""yt-dlp, kept within a policy: the only module that calls it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.ffmpeg import INPUT_GUARD, find_ffmpeg
from omniva_dagster.workers.scraper.errors import as_worker_error
from omniva_dagster.workers.scraper.guard import RefusedError
from omniva_dagster.workers.scraper.metadata import Info
from omniva_dagster.workers.scraper.model import ScrapeLimits
from omniva_dagster.workers.scraper.policy import UrlPolicy

_log = logging.getLogger(__name__)
_MOST_HOPS = 5
_LARGEST_PAGE = 64 * 2**20
# Those that yt-dlp speaks itself, over sockets that the guard sees; the others start a program.
_PROTOCOLS = "[protocol~='^(https?|m3u8|m3u8_native|http_dash_segments|ism)$']"
_HANDLERS = ("Requests", "Urllib")

OnDownload = Callable[[dict[str, Any]], None]


class Session:
    """One use of yt-dlp. Every call is guarded, and raises `WorkerError` and nothing else."""

    def __init__(self, ydl: Any, policy: UrlPolicy) -> None:
        self._ydl = ydl
        self._policy = policy
        self._trouble: Exception | None = None

    def notice(self, error: Exception) -> None:
        """Remember why a request failed: yt-dlp's downloaders keep only the text of it."""
        self._trouble = error

    def open(self, url: str) -> Info:
        """What is at ``url``: a list (``_type`` is ``playlist``, its entries unread) or the whole
        info of one video."""
        self._policy.check_form(url)
        with self._calling(url):
            return self._follow(url)

    def entries(self, source: Info) -> Iterator[Info]:
        """The entries of a list as the list shows them, read as far as they are asked for."""
        from yt_dlp.utils import PlaylistEntries

        url = str(source.get("webpage_url") or "")
        with self._calling(url):
            items = PlaylistEntries(self._ydl, source).get_requested_items()
        while True:
            with self._calling(url):
                _, entry = next(items, (0, None))
                over = entry is None
            if over:
                return
            if isinstance(entry, dict):
                yield entry

    def download(
        self, info: Info, template: Path, on_download: OnDownload, formats: str = ""
    ) -> Path:
        """Bring in the video of an info that `open` gave; where its one file lies.

        ``template`` is the file's path with yt-dlp's ``%(ext)s`` in it. ``on_download`` gets
        yt-dlp's progress dictionaries, and may raise to stop. ``formats`` chooses other formats
        than the best, in yt-dlp's words.
        """
        url = str(info.get("webpage_url") or info.get("url") or "")
        self._ydl.params["outtmpl"]["default"] = str(template)
        self._ydl.add_progress_hook(on_download)
        usual = self._ydl.format_selector
        try:
            with self._calling(url):
                if formats:
                    self._ydl.format_selector = self._ydl.build_format_selector(
                        formats + _PROTOCOLS
                    )
                done = self._ydl.process_ie_result(info, download=True)
        finally:
            self._ydl.format_selector = usual
            self._ydl._progress_hooks.remove(on_download)
        files = [item.get("filepath") for item in (done or {}).get("requested_downloads") or []]
        if len(files) != 1 or not files[0] or Path(files[0]).parent != template.parent:
            raise WorkerError(
                ReasonCode.NO_VIDEO, "the source gave no single file; check that it shows one video"
            )
        return Path(files[0])

    def _follow(self, url: str) -> Info:
        """Go where references lead. Lists are not processed: that would read all of them."""
        key = None
        for _ in range(_MOST_HOPS):
            result = self._ydl.extract_info(url, download=False, process=False, ie_key=key)
            if not isinstance(result, dict):
                break
            kind = result.get("_type", "video")
            if kind == "url":
                url, key = str(result["url"]), result.get("ie_key")
                continue
            if kind not in ("playlist", "multi_video"):
                result = self._ydl.process_ie_result(result, download=False)
            if isinstance(result, dict):
                if result.get("_type") == "multi_video":
                    result["_type"] = "playlist"
                return result
        raise WorkerError(
            ReasonCode.NO_VIDEO, "the source leads from one page to another without end"
        )

    @contextmanager
    def _calling(self, url: str) -> Iterator[None]:
        self._trouble = None
        try:
            with self._policy.guarded():
                yield
        except WorkerError:
            raise
        except Exception as error:
            raise as_worker_error(error, url, self._trouble) from error


@contextmanager
def session(
    policy: UrlPolicy, limits: ScrapeLimits, *, cookies: str = "", single: bool = False
) -> Iterator[Session]:
    """A session. ``cookies`` is the text of a Netscape cookies file; ``single`` prefers the
    video where a URL names a video and a list."""
    from yt_dlp import YoutubeDL
    from yt_dlp import globals as yt_globals

    # Plugins of whoever runs this would make its results differ between machines.
    yt_globals.plugin_dirs.value = []
    ydl = YoutubeDL(_options(policy, limits, cookies, single))
    director = ydl._request_director
    for name in set(director.handlers) - set(_HANDLERS):
        # curl_cffi connects from C, where no audit hook sees it.
        director.handlers.pop(name).close()
    caller = Session(ydl, policy)
    ydl.urlopen = _bounded(ydl.urlopen, policy, caller.notice)
    try:
        yield caller
    finally:
        ydl.close()


def _options(policy: UrlPolicy, limits: ScrapeLimits, cookies: str, single: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "logger": _Quiet(),
        "color": "never",
        "cachedir": False,
        "noplaylist": single,
        "extract_flat": "in_playlist",
        "lazy_playlist": True,
        "socket_timeout": limits.socket_timeout_seconds,
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 1,
        "file_access_retries": 1,
        "skip_unavailable_fragments": False,
        "concurrent_fragment_downloads": 1,
        "continuedl": True,
        "updatetime": False,
        "outtmpl": {"default": "media.%(ext)s"},
        "format": f"bv*{_PROTOCOLS}+ba{_PROTOCOLS}/b{_PROTOCOLS}",
        "format_sort": [f"res:{limits.max_height}", "vcodec:h264", "acodec:aac", "ext:mp4:m4a"],
        "merge_output_format": "mp4/mkv",
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "ffmpeg_location": find_ffmpeg(),
        "postprocessor_args": {"ffmpeg_i": list(INPUT_GUARD)},
    }
    if cookies:
        # As a stream: yt-dlp writes a cookies file back, and it is not ours to change.
        options["cookiefile"] = io.StringIO(cookies)
    if not policy.allow_private_hosts:
        # Behind a proxy the guard would judge the proxy's address, not the source's.
        options["proxy"] = ""
    return options


def _bounded(
    send: Callable[[Any], Any], policy: UrlPolicy, notice: Callable[[Exception], None]
) -> Callable[[Any], Any]:
    """``YoutubeDL.urlopen`` that speaks only the policy's schemes and reads no endless page."""
    from yt_dlp.networking.exceptions import TransportError

    def urlopen(request: Any) -> Any:
        url = request if isinstance(request, str) else request.url
        scheme = url.partition(":")[0].lower()
        if scheme not in policy.schemes:
            refusal = RefusedError(
                ReasonCode.SCHEME_REFUSED,
                f"the source leads to a {scheme[:20]!r} URL, which is not fetched",
            )
            notice(refusal)
            raise TransportError(cause=refusal) from refusal
        try:
            # Once more here, because some extractors ask from threads of their own.
            with policy.guarded():
                response = send(request)
        except Exception as error:
            notice(error)
            raise
        if (response.headers.get("Content-Type") or "").startswith("text/html"):
            # The generic extractor takes it for the upload date; it is when the page was built.
            del response.headers["Last-Modified"]
        response.read = _bounded_read(response.read)
        return response

    return urlopen


def _bounded_read(read: Callable[..., bytes]) -> Callable[..., bytes]:
    from yt_dlp.networking.exceptions import TransportError

    def bounded(amount: int | None = None) -> bytes:
        if amount is not None and amount >= 0:
            return read(amount)
        page = bytearray()
        while piece := read(2**16):
            page += piece
            if len(page) > _LARGEST_PAGE:
                refusal = RefusedError(
                    ReasonCode.TOO_LARGE, f"a page has more than {_LARGEST_PAGE} bytes"
                )
                raise TransportError(cause=refusal) from refusal
        return bytes(page)

    return bounded


class _Quiet:
    """yt-dlp's messages in our log; what it raises says the same and more."""

    def debug(self, message: str) -> None:
        _log.debug("%s", message)

    info = warning = error = debug
