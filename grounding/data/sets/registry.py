"""All data sets by name. One line adds another."""

from __future__ import annotations

from collections.abc import Mapping

from grounding.data.sets import (
    activitynet,
    charades_sta,
    clotho,
    didemo,
    flickr30k,
    hirest,
    llava,
    pope,
    qvhighlights,
    refcoco,
    valley,
    vcr,
    vggss,
    video_qa,
    visual_genome,
    wavcaps,
)
from grounding.data.sets.dataset import DataSet

SETS: Mapping[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        llava.PRETRAIN,
        valley.VALLEY,
        wavcaps.WAVCAPS,
        *refcoco.REFCOCO,
        visual_genome.VISUAL_GENOME,
        charades_sta.CHARADES_STA,
        didemo.DIDEMO,
        hirest.HIREST,
        vggss.VGGSS,
        flickr30k.FLICKR30K,
        vcr.VCR,
        activitynet.ACTIVITYNET,
        clotho.CLOTHO,
        llava.MIX,
        qvhighlights.QVHIGHLIGHTS,
        pope.POPE,
        video_qa.VIDEO_QA,
    )
}
