"""`cytocurve compare` by the real command line: this study, another commit, other labels, the tracking store."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.core.comparison import digest_of_tests
from cytocurve.errors import InputError
from cytocurve.stores.ledger.local import LocalLedger
from cytocurve.stores.tables import write_parquet
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.experiments import ArmRuns, publish
from cytocurve.study.dataset import COLUMNS
from cytocurve.workflows.compare import compare
from tests.core.comparison.comparison_makers import project_with_arms, tables_of, write_arm
from tests.projects import BIN, commit, cytocurve, environment
from tests.stores.tracking.mlflow_makers import local_uri, make_arm

FIRST, SECOND = "sequential-none-expert", "sequential-flip_rotate-expert"


def printed(root: Path, *arguments: str) -> Any:
    done = cytocurve(root, "compare", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(project: ProjectPaths, *names: str) -> str:
    """The messages about arms that cannot be read."""
    with pytest.raises(InputError) as caught:
        compare(project, names)
    return str(caught.value)


def test_all_pairs_of_arms_are_compared_by_default(tmp_path: Path) -> None:
    project_with_arms(tmp_path)
    answer = printed(tmp_path)
    assert [row["at"] for row in answer["comparisons"]] == ["10", "20", "40", "area"]
    assert {(row["a"], row["b"], row["metric"]) for row in answer["comparisons"]} == {(FIRST, SECOND, "roc_auc")}
    assert answer["comparisons"][-1]["verdict"] == "b is better"
    assert answer["not_comparable"] == []
    assert [arm["name"] for arm in answer["arms"]] == [FIRST, SECOND]


def test_verdict_is_stated_in_words(tmp_path: Path) -> None:
    project_with_arms(tmp_path)
    done = cytocurve(tmp_path, "compare", SECOND, FIRST, "--size", "10", "--size", "area")
    assert done.returncode == 0
    assert f"{SECOND} is better at 10 and on the area under the curve" in done.stdout
    same = compare(project_with_arms(tmp_path, (0.3, 0.3)), metric="accuracy")
    assert {row.verdict for row in same.comparisons} == {"not_shown"}


def test_open_comparison_says_what_would_show_the_difference(tmp_path: Path) -> None:
    project_with_arms(tmp_path, (0.3, 0.5))
    done = cytocurve(tmp_path, "compare", "--size", "40")
    assert done.returncode == 0
    assert "estimates for 80 % power, if the true difference is the observed one" in done.stdout
    assert re.search(r"at 40, \+0\.\d+: about [\d,]+ images instead of 40", done.stdout)
    (row,) = printed(tmp_path, "--size", "40")["comparisons"]
    assert row["test"] == "images_and_folds"
    assert row["settling"]["images_now"] == 40


def test_estimates_do_not_invite_to_pick_comparisons_after_the_fact(tmp_path: Path) -> None:
    project_with_arms(tmp_path, (0.3, 0.5))
    done = cytocurve(tmp_path, "compare")
    assert "for 4 comparisons at once. In a new study, deciding in advance on fewer comparisons" in done.stdout
    assert "requested comparison only" not in done.stdout
    done = cytocurve(tmp_path, "compare", "--size", "area")
    assert "p-values are corrected for 1 requested comparison only; the report makes 4." in done.stdout
    assert "after seeing results" in done.stdout


def test_operating_point_is_compared_over_folds_alone_and_says_so(tmp_path: Path) -> None:
    project_with_arms(tmp_path, (0.3, 0.5))
    done = cytocurve(tmp_path, "compare", "--size", "40", "--metric", "sensitivity_at_specificity_90")
    assert "The verdict at 40 is that of the corrected t-test over folds alone." in done.stdout


def test_images_of_a_patient_count_once(tmp_path: Path) -> None:
    """With two patients of eight images in every fold, one of each class, nothing is known about other patients."""
    project = project_with_arms(tmp_path, (0.3, 0.5))
    assert {row.test for row in compare(project).comparisons} == {"images_and_folds"}
    catalog = pd.DataFrame({"image": [f"{number}.png" for number in range(40)]})
    for of_class, test in ((4, "folds"), (2, "images_and_folds")):
        patients = [f"{number % 2} {number // 2 // of_class}" for number in range(40)]
        table = catalog.reindex(columns=COLUMNS).assign(image=catalog["image"], patient=patients)
        write_parquet(project.catalog, table)
        rows = compare(project).comparisons
        assert {row.test for row in rows} == {test}
        assert all(row.settling.images_now == 20 and row.settling.by_patient for row in rows if row.settling)


def test_metric_and_sizes_can_be_chosen(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    answer = compare(project, metric="f1", at=["20"])
    assert [(row.at, row.metric) for row in answer.comparisons] == [("20", "f1")]
    runs = [pd.read_parquet(project.results(arm)) for arm in project.params().arms]
    means = [table.loc[table["size"] == 20, "f1"].mean() for table in runs]
    assert answer.comparisons[0].difference == pytest.approx(means[1] - means[0], abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["sequential-non-expert", SECOND]}, f"did you mean {FIRST!r}"),
        ({"names": ["one", "two"]}, "arm 'one' is unknown.*arm 'two' is unknown"),
        ({"names": [FIRST]}, "two or more different arms"),
        ({"names": [FIRST, FIRST]}, f"twice: {FIRST}"),
        ({"metric": "roc_auk"}, "did you mean 'roc_auc'"),
        ({"at": ["30", "10", "50"]}, "'30' is unknown.*'50' is unknown.*Sizes: 10, 20, 40, area"),
        ({"judge": "expert2"}, "The arms' label versions: expert"),
    ],
)
def test_invalid_choices_are_rejected_with_the_available_ones(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"(?s){message}"):
        compare(project_with_arms(tmp_path), **arguments)


def test_unknown_arm_exits_with_2_and_one_message(tmp_path: Path) -> None:
    project_with_arms(tmp_path)
    done = cytocurve(tmp_path, "compare", FIRST, "second")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: arm 'second' is unknown")


def test_missing_results_are_named_with_the_next_step(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    project.predictions(project.params().arms[1]).unlink()
    with pytest.raises(InputError, match=r"predictions\.parquet: no such file\nNext: dvc repro"):
        compare(project)


def test_arms_of_two_label_versions_are_compared_only_on_the_labels_of_one(tmp_path: Path) -> None:
    """The second version corrects labels that the first has wrong; both arms are judged by it."""
    project = project_with_arms(tmp_path)
    path = project.params_file
    path.write_text(path.read_text().replace("[expert]", "[expert, expert2]").replace("[none, flip_rotate]", "[none]"))
    first, second = project.params().arms
    wrong = {0: "positive", 1: "negative", 10: "positive", 11: "negative"}
    write_arm(
        project, first, tables_of(first, 0.3, label_of=lambda n: wrong.get(n, "positive" if n % 2 else "negative"))
    )
    write_arm(project, second, tables_of(second, 0.9))
    done = cytocurve(tmp_path, "compare")
    assert done.returncode == 1
    assert "labels differ on 4 of 40 test images (label versions expert and expert2)" in done.stdout
    assert "--judge" in done.stdout
    answer = compare(project, judge="expert2", at=["40"])
    expected = [
        pd.read_parquet(project.results(second))["roc_auc"],
        tables_of(first, 0.3)[0]["roc_auc"],
    ]
    at_40 = pd.read_parquet(project.results(second))["size"] == 40
    difference = expected[0][at_40].mean() - expected[1][at_40].mean()
    assert answer.comparisons[0].difference == pytest.approx(difference, abs=1e-6)


def test_arms_tested_on_different_images_are_not_comparable_and_exit_with_1(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    other = project.params().arms[1]
    write_arm(project, other, tables_of(other, 0.9, image_of="another/{}.png".format))
    done = cytocurve(tmp_path, "compare")
    assert done.returncode == 1
    assert "40 of the 40 in the first are not in the second" in done.stdout


def test_independent_seeds_are_compared_with_mann_whitney(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    assert "With 2 and 2 seeds" in compare(project, independent=True).not_comparable[0].reason
    for arm, skill, seeds in zip(project.params().arms, (0.9, 0.2), (range(5), range(7, 12)), strict=True):
        write_arm(project, arm, tables_of(arm, skill, seeds=seeds))
    assert "no seed in common" in compare(project).not_comparable[0].reason
    answer = printed(tmp_path, "--independent", "--size", "area")
    (row,) = answer["seed_comparisons"]
    assert (row["p_mann_whitney"], row["verdict"]) == (pytest.approx(1 / 252, abs=1e-6), "a is better")


def versioned(root: Path, project: ProjectPaths, message: str) -> None:
    """Put the results into DVC's cache and a commit."""
    files = [str(path.relative_to(root)) for path in sorted((root / "results").glob("*.parquet"))]
    subprocess.run(
        [str(BIN / "dvc"), "add", "-q", *files], cwd=root, check=True, env=environment(), capture_output=True
    )
    commit(root, message)


@pytest.mark.slow
def test_results_of_another_commit_are_read_without_a_checkout(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    for command in (["git", "init", "-q", "-b", "main"], [str(BIN / "dvc"), "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True, env=environment(), capture_output=True)
    versioned(tmp_path, project, "weak")
    arm = project.params().arms[0]
    weak = pd.read_parquet(project.results(arm))
    write_arm(project, arm, tables_of(arm, 0.9))
    versioned(tmp_path, project, "strong")
    strong = pd.read_parquet(project.results(arm))

    answer = printed(tmp_path, FIRST, f"HEAD~1:{FIRST}", "--size", "20", "--size", "area")
    assert [row["name"] for row in answer["arms"]] == [FIRST, f"HEAD~1:{FIRST}"]
    means = [table.loc[table["size"] == 20, "roc_auc"].mean() for table in (strong, weak)]
    assert answer["comparisons"][0]["difference"] == pytest.approx(means[1] - means[0], abs=1e-6)
    same = compare(project, [FIRST, f"HEAD:{FIRST}"])
    assert {row.difference for row in same.comparisons} == {0.0}
    assert pd.read_parquet(project.results(arm)).equals(strong)

    message = refused(project, f"no-branch:{FIRST}", "HEAD~1:sequential-non-expert")
    assert "unknown Git revision 'no-branch'" in message
    assert f"did you mean {FIRST!r}" in message
    (tmp_path / ".dvc" / "cache").rename(tmp_path / "cache")
    assert "neither in DVC's cache nor in a remote" in refused(project, FIRST, f"HEAD~1:{FIRST}")


def publish_to(root: Path, arm: ArmRuns) -> None:
    with connected(local_uri(root), root / "lock") as client:
        publish(client, arm)


@pytest.mark.slow
def test_arms_in_the_tracking_store_are_compared_if_their_test_sets_are_known_to_match(tmp_path: Path) -> None:
    project = project_with_arms(tmp_path)
    ledger = LocalLedger(tmp_path / "ledger")
    numbers = range(40)
    labels = ["positive" if number % 2 else "negative" for number in numbers]
    tests = digest_of_tests([f"{n}.png" for n in numbers], [n // 8 for n in numbers], labels)
    one, other = (make_arm(ledger, name, folds=5, sizes=(10, 20)) for name in ("none", "flip_rotate"))
    names = [f"mlflow:starter/blast:{arm.arm.name}" for arm in (one, other)]
    publish_to(tmp_path, one)
    publish_to(tmp_path, replace(other, tests=tests))

    assert "does not record its test images" in refused(project, names[0], FIRST)
    publish_to(tmp_path, replace(one, tests=tests))  # nothing but the digest is new
    answer = compare(project, [*names, FIRST]).comparisons
    scores = [[run.metrics["roc_auc"] for run in arm.runs if run.size == 10] for arm in (one, other)]
    first = next(row for row in answer if (row.b, row.at) == (names[1], "10"))
    assert first.difference == pytest.approx(sum(scores[1]) / 5 - sum(scores[0]) / 5, abs=1e-6)
    assert {row.test for row in answer} == {"folds"}
    assert {row.at for row in answer if row.b == FIRST} == {"10", "20", "area"}

    publish_to(tmp_path, replace(one, tests=tests, arm_key="goes on"))  # takes the runs of its predecessor
    assert compare(project, names).not_comparable == ()
    another = make_arm(ledger, "none", folds=5, sizes=(20, 50))
    publish_to(tmp_path, replace(another, tests=tests[::-1], arm_key="another study", runs=another.runs[1::2]))
    several = refused(project, *names)
    studies = [line.split()[1] for line in several.splitlines() if "started" in line]
    assert len(studies) == 2
    assert {compare(project, [study, names[1]]).not_comparable == () for study in studies} == {True, False}
    assert "Experiments: starter/blast" in refused(project, "mlflow:starter/blasts:x", names[1])
    assert f"Arms: {other.arm.name}, {one.arm.name}" in refused(project, "mlflow:starter/blast:x", names[1])
