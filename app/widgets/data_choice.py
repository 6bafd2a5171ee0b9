"""Which images: a data set that is at hand, or a sentence that says how to get it."""

import cached
import lock
import streamlit as st

from dfn.data.info import DataInfo


def show() -> DataInfo:
    """A select box over the data sets, in the side bar; data that are not here yet say where to put them."""
    infos = cached.data_infos()
    names = list(infos)
    name = st.selectbox(
        "Images",
        names,
        key="data",
        disabled=lock.on("data"),
        bind="query-params",
        help="Digits and scales come with the lab. The others are downloaded by `dfn data fetch NAME`, or read from "
        "the folder that DFN_DATA names.",
    )
    info = infos[name if name in infos else names[0]]
    st.caption(f"{info.title}: {info.train_size:,} + {info.test_size:,} images, {len(info.classes)} classes")
    return info
