"""Reading a request's values: from its path and query, and from a JSON, form or multipart body."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any
from urllib.parse import quote

from flask import Request, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from stopgap.contracts.given import Given, json_values, query_values, unreadable
from stopgap.contracts.parsing import GIVEN_MAX, InputMalformed, refuse_many
from stopgap.errors import Fault
from stopgap.problems import BodyMalformed, BodyTooLarge, MediaTypeUnsupported, wants_page

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
READABLE = f"application/json, {FORM} or {MULTIPART}"


def raw_path() -> str:
    """Tell the path as it was sent, percent signs and all; `%2F` is no slash in it.

    Of slashes at its beginning there is one, as in the path that finds the route: a program that
    joins `http://host/` and `/predict` sends two.
    """
    address: str | None = request.environ.get("RAW_URI")
    path = quote(request.path) if address is None else address.partition("?")[0]
    return re.sub(r"\A/+", "/", path)


def raw_query() -> str:
    """Tell the query as it was sent."""
    text: str = request.environ.get("QUERY_STRING", "")
    return text


def is_form() -> bool:
    """Tell whether the body is what an HTML form sends."""
    return request.mimetype in {FORM, MULTIPART}


class StrictParser(FormDataParser):
    """Reads a multipart form whole, or says that it is none; half of one is no empty one.

    Of any other body it takes what it can, which may be nothing: curl calls an image a form. So it
    does of a form of more values than any page has, which would take seconds.
    """

    def parse(self, stream: IO[bytes], mimetype: str, *args: Any, **options: Any) -> Any:
        """Read a body.

        Raises:
            BadRequest: it is not the multipart form that its Content-Type says.
        """
        self.silent = mimetype != MULTIPART
        if mimetype == FORM:
            body = stream.read()
            stream = BytesIO(body if body.count(b"&") < GIVEN_MAX else b"")
        try:
            return super().parse(stream, mimetype, *args, **options)
        except ValueError as error:
            raise BadRequest from error


class StrictRequest(Request):
    """A request whose form is read so, without a file on the disk.

    Intake has found room for the whole body, or said that there is none; a second copy of it there
    might find none. In memory a file is bounded as the body is, and it is read whole in any case.
    """

    form_data_parser_class = StrictParser

    def _get_file_stream(self, *_args: Any, **_options: Any) -> IO[bytes]:
        return BytesIO()


def wants_html() -> bool:
    """Tell whether a browser asks for a page, rather than a program for an answer."""
    return wants_page(request.headers.get("Accept", ""))


def body_values(most: int = GIVEN_MAX) -> list[Given]:
    """Read the values that the body brings.

    A form's are counted before it is split: a megabyte of them would take seconds.

    Raises:
        InputMalformed: it is a form of more than so many values.
        JsonMalformed, BodyMalformed: it is not what its Content-Type says.
        MediaTypeUnsupported: it is neither JSON nor a form, or packed.
    """
    _refuse_packed()
    media_type = request.mimetype
    if media_type == MULTIPART:
        return _multipart_values()
    body = request.get_data()
    if media_type == "application/json" or media_type.endswith("+json"):
        return json_values(body)
    if media_type == FORM:
        # curl -d '{…}' says that it sends a form
        is_json = body.lstrip().startswith(b"{")
        if is_json:
            return json_values(body)
        refuse_many(body.count(b"&") + 1, most)
        return query_values(body.decode("latin-1"))
    if not body and not media_type:
        return []
    raise MediaTypeUnsupported(
        f"The body must be {READABLE}, not {media_type or 'untyped'!r:.100}."
    )


def _refuse_packed() -> None:
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() != "identity":
        raise MediaTypeUnsupported(f"The body must not be packed, as {coding!r:.50} says it is.")


@contextmanager
def _multipart() -> Iterator[None]:
    """Say in our own words why a multipart form cannot be read."""
    try:
        yield
    except RequestEntityTooLarge as error:
        raise BodyTooLarge(
            "The multipart form has too many parts, or too much text; "
            "a file's part needs a filename."
        ) from error
    except (HTTPException, ValueError) as error:
        if isinstance(error.__cause__, UnicodeError):
            raise BodyMalformed("A name in the multipart form is not UTF-8.") from error
        raise BodyMalformed("The body is not the multipart form that it says it is.") from error


def _multipart_values() -> list[Given]:
    with _multipart():
        texts = [_text(name, text) for name, text in request.form.items(multi=True)]
        files = [unreadable(name, "(a file)") for name in request.files]
    if any(each.name is None for each in texts + files):
        raise BodyMalformed("A part of the multipart form has no name.")
    return texts + files


def _text(name: str, text: str) -> Given:
    """Take a part's text; what is no UTF-8 has become U+FFFD before it comes here."""
    return unreadable(name, text) if "\ufffd" in text else Given(name, text)


def query_values_of_request() -> list[Given]:
    """Read the values that the query brings."""
    return query_values(raw_query())


IMAGE_FIELDS = ("image", "file", "file1")


def uploaded_bytes() -> bytes:
    """Read the one file that a multipart form brings, or the raw body.

    Raises:
        InputMalformed: there is none, or more than one, or it has no filename.
        BodyMalformed: the body is not the form that it says it is.
        MediaTypeUnsupported: it is packed.
    """
    _refuse_packed()
    if request.mimetype != MULTIPART:
        contents = [body] if (body := request.get_data()) else []
    else:
        contents = _uploaded_files()
    if len(contents) != 1:
        message = "is missing" if not contents else "is given more than once"
        fault = Fault(field="image", message=f"{message}; send one file as `image`, or a raw body")
        raise InputMalformed("An upload brings one image.", faults=[fault])
    return contents[0]


def _uploaded_files() -> list[bytes]:
    with _multipart():
        uploads = [file for name in IMAGE_FIELDS for file in request.files.getlist(name)]
        if not uploads and any(name in request.form for name in IMAGE_FIELDS):
            fault = Fault(field="image", message="was sent as text; give its part a filename")
            raise InputMalformed("An upload brings one image.", faults=[fault])
        return [content for file in uploads if (content := file.read()) or file.filename]
