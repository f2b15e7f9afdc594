from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import motmetrics
import numpy as np
import pytest
import trackeval
from mot_sequences import HEIGHT, WIDTH, mot_row, truth_of, walkers, with_errors, write_mot_folder

from vision.boxes import overlaps
from vision.evaluation.scoring import Measured, Scores, combine, measure
from vision.evaluation.truth import IdentifiedBox, Truth, TruthError, read_mot_truth


def measured(truth: Truth, tracks: Sequence[Sequence[IdentifiedBox]]) -> Measured:
    return measure(truth, dict(enumerate(tracks)))


def score(truth: Truth, tracks: Sequence[Sequence[IdentifiedBox]]) -> Scores:
    return measured(truth, tracks).scores


def test_perfect_tracks_score_one() -> None:
    people = walkers(40)
    renamed = [[IdentifiedBox(one.identity + 70, one.bbox_xyxy_px) for one in f] for f in people]
    scores = score(truth_of(people), renamed)
    assert (scores.mota, scores.idf1, scores.hota, scores.deta, scores.assa) == (1, 1, 1, 1, 1)
    assert (scores.recall, scores.precision, scores.switches) == (1, 1, 0)
    assert scores.people_count_error_per_minute == 0


def test_track_that_becomes_another_halfway_is_one_switch() -> None:
    people = walkers(40)
    tracks = [
        [
            IdentifiedBox(9 if i >= 20 and one.identity == 2 else one.identity, one.bbox_xyxy_px)
            for one in frame
        ]
        for i, frame in enumerate(people)
    ]
    scores = score(truth_of(people), tracks)
    assert scores.switches == 1
    assert scores.mota == pytest.approx(1 - 1 / 120)
    assert scores.deta == 1
    # two of three people whole, one in two halves
    assert scores.assa == pytest.approx((2 + 0.5) / 3)
    assert scores.idf1 == pytest.approx(100 / 120)


def test_missed_person_lowers_recall_and_an_invented_one_precision() -> None:
    people = walkers(40)
    missed = score(truth_of(people), [frame[1:] for frame in people])
    assert missed.recall == pytest.approx(2 / 3)
    assert missed.precision == 1
    invented = score(truth_of([frame[1:] for frame in people]), people)
    assert invented.recall == 1
    assert invented.precision == pytest.approx(2 / 3)


def test_nobody_found_and_nobody_there() -> None:
    people = walkers(40)
    nobody = [[] for _ in people]
    found = score(truth_of(people), nobody)
    assert (found.mota, found.hota, found.recall, found.switches) == (0, 0, 0, 0)
    assert found.people_count_error_per_minute == 1
    there = score(truth_of(nobody), people)
    assert (there.hota, there.precision) == (0, 0)


def test_minutes_count_different_people_and_the_last_one_though_it_is_short() -> None:
    # 1 frame a second: minutes of 60, 60 and 10 frames
    people = walkers(130, people=4)
    tracks = [
        # three ids for the fourth person in the second minute; nobody sees the first in the third
        [
            IdentifiedBox(
                one.identity if one.identity != 4 or not 60 <= i < 120 else 40 + i % 3,
                one.bbox_xyxy_px,
            )
            for one in frame
            if i < 120 or one.identity != 1
        ]
        for i, frame in enumerate(people)
    ]
    found = measured(truth_of(people, frame_rate=1), tracks)
    assert found.minutes == ((4, 4), (6, 4), (3, 4))
    assert found.scores.people_count_error_per_minute == pytest.approx((0 + 2 / 4 + 1 / 4) / 3)
    assert found.scores.people_off_per_minute == pytest.approx(1)


def test_minutes_of_a_rate_that_is_not_whole() -> None:
    people = walkers(1799, people=1)
    truth = replace(truth_of(people), frame_rate=Fraction(30000, 1001))
    # frame 1798 is at 59.99 s
    assert measured(truth, people).minutes == ((1, 1),)
    people = walkers(1800, people=1)
    truth = replace(truth_of(people), frame_rate=Fraction(30000, 1001))
    # frame 1799 is at 60.03 s
    assert measured(truth, people).minutes == ((1, 1), (1, 1))


def test_sequences_combine_by_their_boxes() -> None:
    perfect, half = walkers(30), walkers(10)
    one = measured(truth_of(perfect), perfect)
    other = measured(truth_of(half), [[] for _ in half])
    both = combine([one, other])
    assert both.recall == pytest.approx(0.75)
    assert both.people_count_error_per_minute == pytest.approx(0.5)


def test_frames_that_were_not_looked_at_are_not_scored_and_keep_their_minute() -> None:
    # 1 frame a second: every third frame of 60, 60 and 10
    people = walkers(130)
    some = {place: people[place][: 3 - (place == 66)] for place in range(0, 130, 3)}
    found = measure(truth_of(people, frame_rate=1), some)
    assert (found.scores.recall, found.scores.precision) == (pytest.approx(131 / 132), 1)
    assert found.minutes == ((3, 3), (3, 3), (3, 3))
    assert measure(truth_of(people, frame_rate=1), {70: people[70]}).minutes == ((3, 3),)


def test_tracks_of_other_frames_or_with_an_id_twice_are_refused() -> None:
    people = walkers(5)
    with pytest.raises(TruthError, match="5 frames, and the tracks are of frames 0 to 5"):
        score(truth_of(people), walkers(6))
    with pytest.raises(TruthError, match="no frame of walk has been looked at"):
        score(truth_of(people), [])
    with pytest.raises(TruthError, match="twice in frame 0"):
        score(truth_of(people), [[frame[0], frame[0]] for frame in people])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_motmetrics_says_the_same(seed: int) -> None:
    people = walkers(200)
    tracks = with_errors(people, seed)
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for true, found in zip(people, tracks, strict=True):
        boxes = ([one.bbox_xyxy_px for one in frame] for frame in (true, found))
        distances = 1 - overlaps(*boxes)
        accumulator.update(
            [one.identity for one in true],
            [one.identity for one in found],
            np.where(distances > 0.5, np.nan, distances),
        )
    names = ["mota", "idf1", "num_switches", "recall", "precision"]
    theirs = motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]
    ours = score(truth_of(people), tracks)
    assert ours.switches == theirs["num_switches"] > 3
    assert ours.mota == pytest.approx(theirs["mota"])
    assert ours.idf1 == pytest.approx(theirs["idf1"])
    assert (ours.recall, ours.precision) == pytest.approx((theirs["recall"], theirs["precision"]))


@pytest.mark.parametrize("benchmark", ["MOT15", "MOT17"])
def test_trackeval_says_the_same_of_the_files(benchmark: str, tmp_path: Path) -> None:
    """Its own reading and its own rules for conf 0 and for distractors."""
    people = walkers(120)
    tracks = with_errors(people, seed=4)
    # a reflection that the tracker follows, and somebody whom the truth says not to count
    extra = [IdentifiedBox(50, (400.0 + i, 250.0, 440.0 + i, 350.0)) for i in range(120)]
    ignored = [IdentifiedBox(51, (20.0 + i, 350.0, 60.0 + i, 450.0)) for i in range(120)]
    for i, found in enumerate(tracks):
        found += [IdentifiedBox(777, extra[i].bbox_xyxy_px)]
        found += [IdentifiedBox(888, ignored[i].bbox_xyxy_px)] if i % 2 else []
    if benchmark == "MOT15":
        rest, of_extra, of_ignored = "1,-1,-1,-1", "0,-1,-1,-1", "0,-1,-1,-1"
    else:
        rest, of_extra, of_ignored = "1,1,1.0", "0,12,1.0", "0,1,1.0"
    rows = "".join(
        mot_row(i, extra[i], of_extra) + mot_row(i, ignored[i], of_ignored) for i in range(120)
    )
    folder = write_mot_folder(tmp_path / "gt" / "S1", people, rest=rest, rows=rows)
    results = tmp_path / "trackers" / "ours" / "data"
    results.mkdir(parents=True)
    (results / "S1.txt").write_text(
        "".join(mot_row(i, one, "1,-1,-1,-1") for i, f in enumerate(tracks) for one in f)
    )
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SEQ_INFO": {"S1": 120},
            "SKIP_SPLIT_FOL": True,
            "BENCHMARK": benchmark,
            "PRINT_CONFIG": False,
        }
    )
    data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", "S1"), "pedestrian")
    quiet = {"PRINT_CONFIG": False}
    theirs = (
        trackeval.metrics.HOTA().eval_sequence(data)["HOTA"].mean(),
        trackeval.metrics.CLEAR(quiet).eval_sequence(data)["MOTA"],
        trackeval.metrics.Identity(quiet).eval_sequence(data)["IDF1"],
    )
    ours = score(read_mot_truth(folder), tracks)
    assert (ours.hota, ours.mota, ours.idf1) == pytest.approx(theirs)
    # MOT15 knows no distractors: who follows one is wrong in every frame
    assert (ours.mota > 0.6) == (benchmark == "MOT17")


def test_rows_of_conf_zero_are_nobody(tmp_path: Path) -> None:
    people = walkers(10)
    row = mot_row(3, IdentifiedBox(8, (300.0, 300.0, 340.0, 400.0)), "0,-1,-1,-1")
    truth = read_mot_truth(write_mot_folder(tmp_path / "S", people, rows=row))
    assert truth.people == people
    assert score(truth, people).recall == 1


def test_truth_scales_to_the_video(tmp_path: Path) -> None:
    people = walkers(10)
    truth = read_mot_truth(write_mot_folder(tmp_path / "S", people))
    small = truth.scaled_to(WIDTH // 2, HEIGHT // 4)
    halved = [
        [
            IdentifiedBox(one.identity, (x1 / 2, y1 / 4, x2 / 2, y2 / 4))
            for one in frame
            for x1, y1, x2, y2 in [one.bbox_xyxy_px]
        ]
        for frame in people
    ]
    assert score(small, halved).hota == 1
    assert score(truth, halved).recall < 0.1


def test_people_who_are_ignored_may_be_found_or_not() -> None:
    truth = truth_of(walkers(10)).without(lambda box: box[0] < 150)
    people = walkers(10)
    assert truth.people == tuple(frame[1:] for frame in people)
    assert score(truth, people) == score(truth, [frame[1:] for frame in people])
    assert score(truth, people).precision == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("11,1,5,5,5,5,1,-1,-1,-1\n", "line 31: there is no frame 11"),
        ("0,1,5,5,5,5,1,-1,-1,-1\n", "line 31: there is no frame 0"),
        ("3,1,here,5,5,5,1,-1,-1,-1\n", "line 31: cannot read '3,1,here"),
        ("3,1,5,5,0,5,1,-1,-1,-1\n", "line 31: cannot read"),
        ("3,7,5,5,nan,5,1\n", "line 31: cannot read"),
        ("3,7,5\n", "line 31: cannot read"),
        ("\n3,1,5,5,9,9,1,-1,-1,-1\n", "line 32: person 1 is in frame 3 twice"),
    ],
)
def test_row_that_is_wrong_is_told_by_its_line(row: str, said: str, tmp_path: Path) -> None:
    folder = write_mot_folder(tmp_path / "S", walkers(10), rows=row)
    with pytest.raises(TruthError) as told:
        read_mot_truth(folder)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_missing_truth_size_or_rate_is_told(tmp_path: Path) -> None:
    folder = write_mot_folder(tmp_path / "S", walkers(10))
    info = folder / "seqinfo.ini"
    whole = info.read_text()
    for line in ("imWidth=640\n", "frameRate=10\n", "[Sequence]\n"):
        info.write_text(whole.replace(line, ""))
        with pytest.raises(TruthError, match=r"is no seqinfo\.ini"):
            read_mot_truth(folder)
    info.write_text(whole.replace("frameRate=10", "frameRate=0"))
    with pytest.raises(TruthError, match="must be more than 0"):
        read_mot_truth(folder)
    info.write_text(whole)
    (folder / "gt" / "gt.txt").unlink()
    with pytest.raises(TruthError, match=r"cannot read the ground truth .*gt\.txt"):
        read_mot_truth(folder)
    info.unlink()
    with pytest.raises(TruthError, match=r"cannot read .*seqinfo\.ini"):
        read_mot_truth(folder)
