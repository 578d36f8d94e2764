"""All data sets by name. One line adds another."""

from __future__ import annotations

from collections.abc import Mapping

from grounding.datasets.dataset import DataSet
from grounding.datasets.image_sets import flickr30k, llava, pope, refcoco, vcr, visual_genome
from grounding.datasets.sound_sets import clotho, vggss, wavcaps
from grounding.datasets.video_sets import (
    activitynet,
    charades_sta,
    didemo,
    hirest,
    qvhighlights,
    valley,
    video_qa,
)

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
