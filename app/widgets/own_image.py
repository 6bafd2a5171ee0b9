"""An image that is in no data set: a photograph, or one of the reader's own, uploaded, pasted or dropped.

An own image stays in the session that it came to: what is kept is the decoded image, shrunk, and no more than one.
"""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import cached
import streamlit as st
from picked import OWN, PHOTOGRAPHS, Picked, other_image
from streamlit.components.v2 import component

from dfn.words import _
from widgets import link_choice

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.data.own import Fitted, Photo

PHOTO, REFUSED, COUNT = "own-photo", "own-refused", "own-count"
PASTE, PASTED = "own-paste", "own-pasted"
CROPS = tuple(str(percent) for percent in range(0, 101, 5))
MIDDLE = "50"
PREVIEW = 96
GROUND_OF = 200  # test images whose ground is looked at

_PASTE = component(
    "dfn_paste",
    html="<button type='button'></button>",
    css="""
button {
  font: inherit; color: var(--st-text-color); background: transparent; cursor: pointer; width: 100%; min-height: 4.4rem;
  border: 1px dashed var(--st-border-color); border-radius: var(--st-button-radius); padding: 0.45rem 0.9rem;
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
""",
    js=(Path(__file__).parent / "paste.js").read_text(encoding="utf-8"),
)


def photograph(source: str, images: "Dataset") -> Picked:
    """One of scikit-learn's photographs, cropped as the reader says."""
    from dfn.data.own import fit

    photo = cached.photograph(PHOTOGRAPHS[source])
    crop = _crop(photo, _("The photograph {name}").format(name=PHOTOGRAPHS[source]))
    fitted = fit(photo, images.shape, crop=crop)
    _say(fitted.done)
    return other_image(source, fitted, crop)


def own(images: "Dataset") -> Picked | None:
    """The reader's own image; None while there is none."""
    from dfn.data.own import MOST_BYTES, MOST_MEGABYTES, SUFFIXES, fit

    upload, paste = st.columns(2, vertical_alignment="bottom")
    with upload:
        key = f"own-upload-{st.session_state.get(PASTED, 0)}"  # anew, so that no name of an older file stands there
        st.file_uploader(
            _("Upload an image"),
            list(SUFFIXES),
            key=key,
            max_upload_size=MOST_MEGABYTES,
            on_change=_uploaded,
            args=(key,),
        )
    with paste:
        said = {
            "ready": _("Paste an image: press here, or Ctrl+V; or drop one"),
            "none": _("There is no image on the clipboard. Copy one and try again"),
            "large": _("That image is larger than {size} MB. Take a smaller one").format(size=MOST_MEGABYTES),
            "refused": _("This browser asks for Ctrl+V instead, while this button has the focus"),
        }
        _PASTE(key=PASTE, data={"most": MOST_BYTES, "said": said}, on_image_change=_pasted)
    if st.session_state.get(REFUSED):
        st.warning(st.session_state[REFUSED])
    photo = st.session_state.get(PHOTO)
    if photo is None:
        st.caption(_("An own image is in no link: it stays in the session of whoever chose it. Choose one here."))
        return None
    crop = _crop(photo, _("Your image"))
    inverted = images.shape[0] == 1 and _inverted(fit(photo, images.shape, crop=crop), images)
    fitted = fit(photo, images.shape, crop=crop, invert=inverted)
    _say(fitted.done)
    return other_image(OWN, fitted, crop, inverted)


def _inverted(fitted: "Fitted", images: "Dataset") -> bool:
    """Whether light and dark change places: by itself where the ground is not that of the data set."""
    from dfn.data.own import light_ground

    light = light_ground(images.test.images[:GROUND_OF].numpy())
    differs = light_ground(fitted.pixels) != light
    key = f"own-invert-{st.session_state[COUNT]}-{images.name}"
    inverted = st.toggle(_("Invert light and dark"), value=differs, key=key, persist_state="session")
    st.caption(_ground(light, differs))
    return inverted


def _ground(light: bool, differs: bool) -> str:
    match light, differs:
        case True, True:
            return _(
                "The images of this net stand on a light ground, and yours stands on a dark one: it is inverted, "
                "unless you say otherwise."
            )
        case True, False:
            return _(
                "The images of this net stand on a light ground, and so does yours: it is not inverted, unless you "
                "say otherwise."
            )
        case False, True:
            return _(
                "The images of this net stand on a dark ground, and yours stands on a light one: it is inverted, "
                "unless you say otherwise."
            )
    return _(
        "The images of this net stand on a dark ground, and so does yours: it is not inverted, unless you say "
        "otherwise."
    )


def _crop(photo: "Photo", name: str) -> float:
    """Which square, from 0 (left or top) to 1; asked only where there is a choice."""
    from dfn.data.own import framed

    height, width = photo.pixels.shape[:2]
    if height == width:
        return 0.5
    wide = width > height
    label = _("Which square, from left to right") if wide else _("Which square, from top to bottom")
    picture, slider = st.columns([1, 2], vertical_alignment="center")
    with slider:
        crop = int(link_choice.show(st.select_slider, label, CROPS, "crop", MIDDLE, lambda percent: f"{percent} %"))
    with picture:
        alt = (
            _("{name}, and the square that the net gets, {crop} % of the way from left to right")
            if wide
            else _("{name}, and the square that the net gets, {crop} % of the way from top to bottom")
        )
        st.image(framed(photo, crop / 100, PREVIEW), alt=alt.format(name=name, crop=crop), output_format="PNG")
    return crop / 100


def _say(done: tuple[str, ...]) -> None:
    st.caption(_("For the net it is {done}.").format(done=", ".join(done)) if done else _("The net gets it as it is."))


def _uploaded(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _take(file.getvalue())
        return
    st.session_state.pop(PHOTO, None)
    st.session_state[REFUSED] = ""


def _pasted() -> None:
    from dfn.data.own import MOST_BYTES

    said = st.session_state[PASTE].get("image")
    if said is None:  # a trigger that went back to rest
        return
    fits = isinstance(said, str) and len(said) <= 4 * MOST_BYTES // 3 + 4
    try:
        data = base64.b64decode(said, validate=True) if fits else b""
    except ValueError:
        data = b""
    st.session_state[PASTED] = st.session_state.get(PASTED, 0) + 1
    _take(data)


def _take(data: bytes) -> None:
    """Keep what the bytes show in place of what was kept, or say why not."""
    from dfn.data.own import OwnImageError, read_photo

    try:
        st.session_state[PHOTO] = read_photo(data)
        st.session_state[COUNT] = st.session_state.get(COUNT, 0) + 1
        st.session_state[REFUSED] = ""
    except OwnImageError as error:
        st.session_state[REFUSED] = str(error)
