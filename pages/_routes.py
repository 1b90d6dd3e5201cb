"""What the app's server answers beside the pages: small pictures of clips, and rows of tables, piece by piece."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WORKERS = 2
_POOL = ThreadPoolExecutor(WORKERS, thread_name_prefix="thumbnails")
"""Clips are decoded here, so that the server goes on answering."""
_ASK_AGAIN = {"cache-control": "private, max-age=60"}  # the same id may be another clip after a while
_NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><path d="M20 20l56 56M76 20L20 76" '
    'stroke="#8a8a8a" stroke-width="3"/></svg>'
)


def routes() -> list[Route]:
    """Routes for `st.App`; they stand behind the guard, as pages do."""
    return [Route("/thumbs/{dataset}/{clip:path}.webp", thumbnail), Route("/rows/{name}", rows)]


async def thumbnail(request: Request) -> Response:
    """The picture of a clip of a dataset; a crossed one where the clip cannot be read, 404 for one that is not listed."""
    dataset, clip = request.path_params["dataset"], request.path_params["clip"]
    try:
        picture, tag = await asyncio.get_running_loop().run_in_executor(_POOL, _picture, dataset, clip)
    except KeyError:
        return Response("there is no such clip\n", 404, media_type="text/plain")
    if picture is None:
        return Response(_NO_PICTURE, media_type="image/svg+xml", headers={"cache-control": "no-store"})
    headers = {"etag": f'"{tag}"'} | _ASK_AGAIN
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(picture, media_type="image/webp", headers=headers)


def _picture(dataset: str, clip: str) -> tuple[bytes | None, str]:
    """The picture and a tag of it; None for a clip that cannot be read. Raises: KeyError for one that is not listed."""
    from _loaded import state

    from workbench.app.from_ifdd import InputError

    place = state.workspace()
    if dataset not in place.datasets:
        raise KeyError(dataset)
    try:
        found = state.named_dataset(dataset)
        picture = _thumbnails(place.results, dataset).picture(found, clip)
    except (InputError, OSError):
        return None, ""
    return picture, hashlib.sha256(picture).hexdigest()[:16]


@cache
def _thumbnails(results: Path, dataset: str):  # type: ignore[no-untyped-def]  # its module loads what only a first picture needs
    from workbench.app.thumbnails import FOLDER, Thumbnails

    return Thumbnails(results / FOLDER / f"{dataset}.sqlite")


async def rows(request: Request) -> Response:
    """Rows of a table that a page shows: `first` and `count` of the query; 404 where they are not kept any more."""
    from workbench.app.rows import SHOWN

    try:
        first, count = (int(request.query_params[name]) for name in ("first", "count"))
    except (KeyError, ValueError):
        return Response("give first and count, whole numbers\n", 400, media_type="text/plain")
    found = SHOWN.find(request.path_params["name"])
    if found is None:
        return Response("these rows are not kept any more\n", 404, media_type="text/plain")
    told = await asyncio.get_running_loop().run_in_executor(None, found.rows, first, count)
    return JSONResponse(told, headers={"cache-control": "private, max-age=3600"})
