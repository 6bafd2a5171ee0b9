"""Which images: a data set that is at hand, or a sentence that says how to get it."""

import cached
import lock
import streamlit as st

from dfn.data.info import DataInfo
from dfn.words import _


def show() -> DataInfo:
    """A select box over the data sets, in the side bar; data that are not here yet say where to put them."""
    infos = cached.data_infos()
    names = list(infos)
    name = st.selectbox(
        _("Images"),
        names,
        key="data",
        disabled=lock.on("data"),
        bind="query-params",
        help=_(
            "Digits and scales come with the lab. The others are downloaded by `dfn data fetch NAME`, or read from "
            "the folder that DFN_DATA names."
        ),
    )
    info = infos[name if name in infos else names[0]]
    st.caption(
        _("{title}: {train:,} + {test:,} images, {classes} classes").format(
            title=_(info.title), train=info.train_size, test=info.test_size, classes=len(info.classes)
        )
    )
    return info
