"""Answering the checklist, with text and links or with a file, and downloading the files."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.datastructures import MultiValueDict
from ninja import File, Form, Router
from ninja.files import UploadedFile as Uploaded

from rollbacks.api.answers import GivenAnswer
from rollbacks.api.bodies import Evidence
from rollbacks.api.callers import FILES, READS
from rollbacks.api.problems import invalid, refuse_fields
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.api.requests import find
from rollbacks.checklist import BY_KEY
from rollbacks.forms import AnswerForm
from rollbacks.models import Attachment
from rollbacks.services.reading import current_answers
from rollbacks.services.requests import answer as give
from rollbacks.views.requests import download

router = Router(tags=["checklist"])


@router.post("/requests/{int:pk}/checklist/{slug:item}", response=GivenAnswer, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(200)
def answer(request: HttpRequest, pk: int, item: str, body: Evidence) -> GivenAnswer:
    """Answer one checklist item with text or a link; in review that voids the votes given so far."""
    return _answer(request, pk, item, {"text": body.text, "link": body.link})


@router.post(
    "/requests/{int:pk}/checklist/{slug:item}/file", response=GivenAnswer, auth=FILES, openapi_extra=DOCUMENTED
)
@repeatable(200)
def answer_with_file(
    request: HttpRequest, pk: int, item: str, upload: File[Uploaded], text: Form[str] = "", link: Form[str] = ""
) -> GivenAnswer:
    """Answer one checklist item with a file of up to 4 MiB, sent as multipart/form-data."""
    unknown = [name for name in (*request.POST, *request.FILES) if name not in {"text", "link", "upload"}]
    if unknown:
        raise refuse_fields(request, unknown)
    return _answer(request, pk, item, {"text": text, "link": link}, upload)


@router.get("/requests/{int:pk}/files/{int:file}", auth=READS, response={200: bytes})
def read_file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """An evidence file, always as a download."""
    return download(get_object_or_404(Attachment.objects.distinct(), pk=file, answers__request_id=pk))


def _answer(
    request: HttpRequest, pk: int, item: str, given: dict[str, str], upload: UploadedFile[Any] | None = None
) -> GivenAnswer:
    """The form says what text and links may be, for pages and API alike."""
    form = AnswerForm(given, MultiValueDict({"upload": [upload]} if upload else {}))
    if not form.is_valid():
        raise invalid([(name, str(error)) for name, errors in form.errors.items() for error in errors])
    if item not in BY_KEY:
        raise invalid([("item", f"There is no such checklist item; there are: {', '.join(BY_KEY)}.")])
    give(request.user, find(pk).pk, item=item, **form.cleaned_data)
    return GivenAnswer.of(current_answers(find(pk))[item])
