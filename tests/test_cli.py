"""The command line: results, exit codes, sentences, and files that appear complete or not at all."""

import csv
import subprocess
import sys
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression

import skgen
import skgen.persistence
import skgen.selection
from skgen import Gaussian, Independent, Normal, Poisson, StudentT
from skgen.cli import main
from skgen.datasets import load_faithful
from skgen.tables import read_file


@pytest.fixture
def faithful(tmp_path):
    path = tmp_path / "faithful.csv"
    load_faithful(as_frame=True).data.to_csv(path, index=False)
    return path


@pytest.fixture
def run(capsys):
    def call(*argv):
        code = main([str(word) for word in argv])
        return code, *capsys.readouterr()

    return call


def saved(model, X, path):
    skgen.save(model.fit(X), path)
    return path


def is_a_sentence(err):
    """Whether standard error holds one line of ours."""
    return err.startswith("skgen: ") and err.count("\n") == 1 and "Traceback" not in err


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


# compare


def read_text(text, folder):
    """The table that a command printed."""
    (folder / "printed.csv").write_text(text)
    return read_file(folder / "printed.csv")


def test_compare_shows_old_faithful_by_default(run):
    code, out, err = run("compare", "--models", "gaussian,Normal")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[:3]] == ["model", "Gaussian", "Normal"]
    assert "'waiting'; measure={'waiting': 'counting'} (on the command line --counts waiting)" in out


def test_compare_prints_what_the_library_finds(run, faithful):
    def without_times(text):
        return [line.split(" exact ")[0] for line in text.splitlines()]

    _, out, _ = run("compare", faithful, "--seed", 3, "--cv", 4)
    comparison = skgen.compare(load_faithful(as_frame=True).data, cv=4, random_state=3)
    assert without_times(out) == without_times(str(comparison))


def test_compare_writes_table_samples_and_model(run, faithful, tmp_path):
    folder = tmp_path / "deep" / "results"
    code, _, _ = run("compare", faithful, "--models", "Gaussian,student_t,poisson", "--out", folder)
    assert code == 0
    assert files_in(folder) == ["compare.csv", "model.skgen", "samples.csv"]
    table = pd.read_csv(folder / "compare.csv", keep_default_na=False)
    assert list(table["model"]) == ["Gaussian", "StudentT", "Poisson"]
    assert table["log_likelihood"][2] == ""
    samples = read_file(folder / "samples.csv")
    assert list(samples) == ["eruptions", "waiting"]
    best = skgen.load(folder / "model.skgen")
    expected = Gaussian().fit(load_faithful().data)
    assert_array_equal(best.score_samples(samples), expected.score_samples(samples.to_numpy()))
    assert_array_equal(samples, best.sample(1000, random_state=0))


def test_columns_are_counted_or_continuous_on_demand(run, tmp_path):
    path = tmp_path / "n.csv"
    n = np.random.default_rng(0).poisson(2, (60, 2))
    pd.DataFrame(n, columns=["n", "m"]).to_csv(path, index=False)
    words = ("compare", path, "--models", "normal,poisson")
    assert "\nPoisson  " in run(*words)[1]
    _, out, _ = run(*words, "--continuous", "n,m")
    assert "\nNormal  " in out
    assert "Poisson: It counts 'n'" in out
    assert "\nPoisson  " in run(*words, "--counts", "n")[1]


def test_nobody_ranked_is_an_error_after_the_table(run, faithful, tmp_path):
    code, out, err = run("compare", faithful, "--models", "poisson", "--out", tmp_path / "results")
    assert code == 2
    assert "Poisson wants whole numbers" in out
    assert is_a_sentence(err)
    assert not (tmp_path / "results").exists()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_bar_is_drawn_on_a_terminal_only(run, faithful, monkeypatch):
    assert run("compare", faithful, "--models", "normal")[2] == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    code, out, _ = run("compare", faithful, "--models", "normal")
    drawn = sys.stderr.getvalue()
    assert code == 0
    assert "3/6 Normal" in drawn
    assert drawn.endswith("\r\033[K")
    assert "[" not in out.splitlines()[1]


# fit, score, sample


def test_fit_then_score_is_score_samples(run, faithful, tmp_path):
    model = tmp_path / "model.skgen"
    assert run("fit", faithful, "--model", "student-t", "--param", "df=3", "--out", model) == (0, "", "")
    code, out, err = run("score", model, faithful)
    X = load_faithful(as_frame=True).data
    expected = StudentT(df=3).fit(X).score_samples(X)
    assert code == 0
    assert out.splitlines()[0] == "log_density"
    assert_array_equal(np.array(out.splitlines()[1:], dtype=float), expected)
    assert err == f"mean {expected.mean():.6g} nats per row, 272 rows\n"
    code, out, _ = run("score", model, faithful, "--out", tmp_path / "scores.csv")
    assert (code, out) == (0, "")
    assert_array_equal(read_file(tmp_path / "scores.csv")["log_density"], expected)


def test_score_puts_the_columns_in_order(run, faithful, tmp_path):
    model = saved(Gaussian(), load_faithful(as_frame=True).data, tmp_path / "model.skgen")
    load_faithful(as_frame=True).data[["waiting", "eruptions"]].to_csv(tmp_path / "swapped.csv", index=False)
    assert run("score", model, tmp_path / "swapped.csv")[1] == run("score", model, faithful)[1]


def test_score_names_columns_that_lack_or_are_too_many(run, tmp_path):
    model = saved(Normal(), pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 1.0, 4.0]}), tmp_path / "model.skgen")
    (tmp_path / "few.csv").write_text("a\n1\n")
    (tmp_path / "many.csv").write_text("a,b,c\n1,2,3\n")
    code, _, err = run("score", model, tmp_path / "few.csv")
    assert (code, is_a_sentence(err)) == (2, True)
    assert "lacks the columns ['b']: the model knows ['a', 'b']" in err
    code, _, err = run("score", model, tmp_path / "many.csv")
    assert code == 2
    assert "has the columns ['c'], which are not the model's" in err


def test_a_model_of_an_array_takes_columns_by_their_place(run, tmp_path):
    model = saved(Normal(), [[0.0, 1.0], [1.0, 3.0]], tmp_path / "model.skgen")
    (tmp_path / "data.csv").write_text("0.5,2\n")
    _, out, _ = run("score", model, tmp_path / "data.csv")
    assert float(out.splitlines()[1]) == skgen.load(model).score([[0.5, 2.0]])
    (tmp_path / "data.csv").write_text("0.5,2,3\n")
    assert "has 3 columns, but the model knows 2" in run("score", model, tmp_path / "data.csv")[2]
    assert run("sample", model)[1].splitlines()[0] == "x0,x1"


def test_rows_off_the_support_score_minus_infinity(run, tmp_path):
    model = saved(Poisson(), pd.DataFrame({"n": [1, 2, 3]}), tmp_path / "model.skgen")
    (tmp_path / "data.csv").write_text("n\n1\n1.5\n")
    code, out, err = run("score", model, tmp_path / "data.csv")
    assert (code, out.splitlines()[2]) == (0, "-inf")
    assert err == "mean -inf nats per row, 2 rows\n"


def test_sample_has_the_columns_and_repeats_with_a_seed(run, tmp_path):
    X = pd.DataFrame({"word": ["a", 'b "c", d'] * 5, "n": range(10), "x": np.linspace(0, 1, 10)})
    model = saved(Independent(), X, tmp_path / "model.skgen")
    code, out, err = run("sample", model, "-n", 50, "--seed", 1)
    assert (code, err) == (0, "")
    pd.testing.assert_frame_equal(read_text(out, tmp_path), skgen.load(model).sample(50, random_state=1))
    assert run("sample", model, "-n", 50, "--seed", 1)[1] == out
    assert run("sample", model, "-n", 50, "--seed", 2)[1] != out
    run("sample", model, "-n", 50, "--seed", 1, "--out", tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == out


def test_parameters_are_literals_words_or_estimators(run, faithful, tmp_path):
    def fitted(*words):
        code, _, err = run("fit", faithful, "--out", tmp_path / "m.skgen", "--model", *words)
        assert (code, err) == (0, "")
        return skgen.load(tmp_path / "m.skgen")

    assert fitted("GAUSSIAN", "--param", "covariance=diag").covariance == "diag"
    shrunk = fitted("gaussian", "--param", "covariance=LedoitWolf", "--param", "covariance__assume_centered=True")
    assert repr(shrunk) == "Gaussian(covariance=LedoitWolf(assume_centered=True))"
    assert fitted("StudentT", "--param", "df=None", "--param", "tol=1e-3").tol == 1e-3
    assert repr(fitted("independent", "--param", "estimators=Laplace()").estimators_[0]) == "Laplace()"


# errors


@pytest.mark.parametrize(
    "words, said",
    [
        (["compare", "nowhere.csv"], "nowhere.csv: No such file or directory."),
        (["compare", "{}"], "is a directory"),
        (["compare", "{}/a.xlsx"], "ends in .csv, .tsv, .txt, .parquet, .npy"),
        (["compare", "{}/bad.parquet"], "bad.parquet cannot be read as parquet"),
        (["compare", "{}/bad.npy"], "bad.npy cannot be read as an array"),
        (["compare", "{}/objects.npy"], "Object arrays cannot be loaded"),
        (["compare", "{}/cube.npy"], "one or two dimensions, got float64 of shape (2, 2, 2)"),
        (["compare", "{}/nan.npy"], "nan.npy has no value in row 1 of column x0"),
        (["compare", "--models", "gauss"], "There is no model 'gauss'. There are Bernoulli, Beta,"),
        (["compare", "--cv", "1"], "cv=1 folds of 272 row(s)"),
        (["compare", "--cv", "273"], "cv=273 folds of 272 row(s)"),
        (["compare", "--cv", "five"], "argument --cv: invalid int value: 'five'"),
        (["compare", "--counts", "length"], "measure names the column 'length'"),
        (["compare", "--counts", "eruptions"], "'eruptions' cannot be counted: row 0 holds 3.6"),
        (["compare", "--counts", "waiting", "--continuous", "waiting"], "both as counts and as continuous"),
        (["compare", "--seed", "-1"], "a non-negative int"),
        (["compare", "--out", "{}/good.csv"], "good.csv: File exists"),
        (["fit", "{}/good.csv", "--model", "Normal", "--out", "{}/no/m"], "No such file or directory"),
        (["fit", "{}/good.csv", "--model", "Nobody", "--out", "{}/m"], "There is no model 'Nobody'"),
        (["fit", "{}/good.csv", "--model", "all", "--out", "{}/m"], "There is no model 'all'"),
        (
            ["fit", "{}/good.csv", "--model", "StudentT", "--out", "{}/m", "--param", "dof=3"],
            "It has df, max_iter, tol.",
        ),
        (["fit", "{}/good.csv", "--model", "StudentT", "--out", "{}/m", "--param", "df"], "wants NAME=VALUE, got 'df'"),
        (["fit", "{}/good.csv", "--model", "StudentT", "--out", "{}/m", "--param", "df=x"], "Got 'x' instead"),
        (["fit", "{}/good.csv", "--model", "Poisson", "--out", "{}/m"], "Poisson wants whole numbers"),
        (["fit", "{}/words.csv", "--model", "Normal", "--out", "{}/m"], "column 'a' holds 'one'"),
        (["score", "{}/good.csv", "{}/good.csv"], "good.csv cannot be loaded"),
        (["score", "{}/classifier.skgen", "{}/good.csv"], "LogisticRegression, which is no density estimator"),
        (["score", "{}/unfitted.skgen", "{}/good.csv"], "This Normal instance is not fitted yet"),
        (["sample", "{}/nowhere.skgen"], "nowhere.skgen: No such file or directory."),
        (["sample", "{}/normal.skgen", "-n", "0"], "n_samples must be a positive integer, got 0"),
        (["sample", "{}/normal.skgen", "--out", "{}"], "Is a directory"),
        (["sample", "{}/normal.skgen", "--out", "{}/no/x.csv"], "x.csv cannot be written: No such file or directory."),
        (["simulate"], "invalid choice: 'simulate'"),
        ([], "the following arguments are required: command"),
    ],
)
def test_an_error_is_one_sentence_and_leaves_nothing_behind(run, tmp_path, words, said):
    X = pd.DataFrame({"a": [0.5, 1.0, 3.0], "b": [0.0, 1.0, 4.0]})
    X.to_csv(tmp_path / "good.csv", index=False)
    saved(Normal(), X, tmp_path / "normal.skgen")
    skgen.save(Normal(), tmp_path / "unfitted.skgen")
    skgen.save(LogisticRegression(), tmp_path / "classifier.skgen")
    (tmp_path / "words.csv").write_text("a,b\none,1\ntwo,2\n")
    for name in ("a.xlsx", "bad.parquet", "bad.npy"):
        (tmp_path / name).write_text("this is something else")
    np.save(tmp_path / "objects.npy", np.array([{}, {}]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "nan.npy", [[1.0], [np.nan]])
    before = files_in(tmp_path)
    code, _, err = run(*(word.format(tmp_path) for word in words))
    assert code == 2
    assert is_a_sentence(err)
    assert said in err
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "data.csv is empty."),
        ("\n\n", "data.csv is empty."),
        ("a,b\n", "data.csv has no rows."),
        ("a,b\n1,2\n3\n", "line 3, has 1 fields, but the first line has 2."),
        ("a,b\n1,2\n\n3,4,5\n", "line 4, has 3 fields"),
        ("a,b\n1,\n", "line 2, has no value in column 'b'"),
        ("a,b\n1,2\nNA,3\n", "line 3, has no value in column 'a'"),
        ('a,b\n"x\ny",2\nz,nan\n', "line 4, has no value in column 'b'"),
        ("a,a\n1,2\n", "two columns called 'a'"),
        (",a\n0,2\n", "no name for column 1"),
        ('a,b\n"1,2\n3,4\n', "is no line of a table"),
        ("a\n1\ncaf\xe9\n".encode("latin-1"), "line 3, is no UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1, is no UTF-8 text"),
    ],
)
def test_bad_text_is_told_with_its_line(run, tmp_path, text, said):
    path = tmp_path / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = run("compare", path)
    assert (code, out) == (2, "")
    assert is_a_sentence(err)
    assert said in err


def test_a_write_that_fails_leaves_the_old_file(run, faithful, tmp_path, monkeypatch):
    model = saved(Normal(), load_faithful(as_frame=True).data, tmp_path / "model.skgen")
    (tmp_path / "x.csv").write_text("old")
    before = files_in(tmp_path)

    class FullDisk:
        def __init__(self, stream, **_):
            self.stream = stream

        def writerow(self, row):
            self.stream.write("half a fi")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv, "writer", FullDisk)
    code, _, err = run("sample", model, "--out", tmp_path / "x.csv")
    assert (code, err) == (2, f"skgen: {tmp_path / 'x.csv'} cannot be written: No space left on device.\n")
    assert (tmp_path / "x.csv").read_text() == "old"
    assert files_in(tmp_path) == before


def test_a_model_that_cannot_be_saved_is_said(run, faithful, tmp_path, monkeypatch):
    def refuse(model, path):
        raise TypeError("This model holds a function. Save the rest.")

    monkeypatch.setattr(skgen.persistence, "save", refuse)
    code, _, err = run("fit", faithful, "--model", "normal", "--out", tmp_path / "m.skgen")
    assert (code, err) == (2, "skgen: This model holds a function. Save the rest.\n")


def test_a_pipe_or_a_device_is_written_to_and_stays(run, tmp_path):
    model = saved(Normal(), pd.DataFrame({"a": [0.0, 1.0]}), tmp_path / "model.skgen")
    assert run("sample", model, "--out", "/dev/stderr")[0] == 0


def test_labels_of_a_model_are_labels_whatever_the_file_looks_like(run, tmp_path):
    """A file whose labels happen to be all numbers, or all booleans, scores as the same labels in another file do."""
    (tmp_path / "train.csv").write_text("k,b\n1,true\n2,maybe\n3A,false\n1,true\n")
    model = tmp_path / "m.skgen"
    assert run("fit", tmp_path / "train.csv", "--model", "categorical", "--out", model)[0] == 0
    scores = {}
    for name, rows in {"whole": "1,true\n", "with": "1,true\n3A,maybe\n", "other": "1,true\n9,false\n"}.items():
        (tmp_path / f"{name}.csv").write_text("k,b\n" + rows)
        scores[name] = float(run("score", model, tmp_path / f"{name}.csv")[1].split()[1])
    assert len(set(scores.values())) == 1
    assert scores["whole"] == pytest.approx(np.log(3 / 8 * 3 / 8))


def test_labels_that_are_numbers_are_read_by_their_value(tmp_path):
    model = Independent().fit(pd.DataFrame({"a": pd.Categorical([1.0, 2.0, 1.0]), "x": [0.1, 0.2, 0.5]}))
    (tmp_path / "b.csv").write_text("a,x\n1,0.5\n2.0,0.3\n")
    expected = model.score_samples(pd.DataFrame({"a": pd.Categorical([1.0, 2.0]), "x": [0.5, 0.3]}))
    assert_array_equal(model.score_samples(read_file(tmp_path / "b.csv", model.columns_)), expected)


def test_numbers_with_leading_zeros_are_labels(run, tmp_path):
    (tmp_path / "zip.csv").write_text("zip,x\n00123,1\n04567,2\n00123,4\n")
    assert run("fit", tmp_path / "zip.csv", "--model", "independent", "--out", tmp_path / "m.skgen")[0] == 0
    drawn = run("sample", tmp_path / "m.skgen", "-n", 20, "--seed", 0)[1]
    assert {line.split(",")[0] for line in drawn.splitlines()[1:]} == {"00123", "04567"}


@pytest.mark.parametrize("parameter", ["estimators=[1]", "estimators=LedoitWolf", "covariance=Normal"])
def test_parameters_of_another_kind_are_sentences(run, faithful, tmp_path, parameter):
    model = "independent" if parameter.startswith("estimators") else "gaussian"
    code, _, err = run("fit", faithful, "--model", model, "--param", parameter, "--out", tmp_path / "m.skgen")
    assert code == 2 and is_a_sentence(err)
    assert not (tmp_path / "m.skgen").exists()


def test_no_names_are_a_sentence(run, faithful):
    code, _, err = run("compare", faithful, "--models", ",")
    assert code == 2 and "--models names none" in err


def test_ctrl_c_ends_quietly(run, faithful, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(skgen.selection, "compare", interrupt)
    assert run("compare", faithful) == (130, "", "")


def test_warnings_are_sentences_too(faithful, tmp_path):
    words = ["fit", faithful, "--model", "student_t", "--param", "max_iter=1", "--out", tmp_path / "m.skgen"]
    done = subprocess.run([sys.executable, "-m", "skgen.cli", *words], capture_output=True, text=True)
    assert done.returncode == 0
    assert is_a_sentence(done.stderr)
    assert "did not converge" in done.stderr


def test_help_loads_nothing_heavy_and_a_closed_pipe_is_quiet(tmp_path):
    code = "import sys, skgen.cli; skgen.cli.main(['--help']); sys.exit(int('numpy' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
    model = saved(Normal(), pd.DataFrame({"a": [0.0, 1.0]}), tmp_path / "model.skgen")
    words = [sys.executable, "-m", "skgen.cli", "sample", model, "-n", "200000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_version_and_help(run):
    assert run("--version") == (0, f"skgen {skgen.__version__}\n", "")
    code, out, _ = run("sample", "--help")
    assert code == 0
    assert "--n-samples" in out


# tables from files


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c,d,e\n1,1.5,x,true,007\n-2,2,y z,False,8\n",
        "\ufeffa,b,c,d,e\r\n1,1.5,x,true,007\r\n-2,2,y z,False,8\r\n",
        'a;b;c;d;e\n1; 1.5;"x";true;007\n\n-2;2;"y z";False;8',
        "a\tb\tc\td\te\n1\t1.5e0\tx\ttrue\t007\n-2\t2\ty z\tFalse\t8\n",
    ],
)
def test_text_in_its_many_ways(tmp_path, text):
    path = tmp_path / "data.txt"
    path.write_bytes(text.encode())
    X = read_file(path)
    words = {"c": ["x", "y z"], "e": ["007", "8"]}
    assert X.to_dict("list") == {"a": [1, -2], "b": [1.5, 2.0], "d": [True, False]} | words
    assert [X[name].dtype.kind for name in "abd"] == ["i", "f", "b"]


def test_words_that_look_like_numbers_to_python_only_are_words(tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1_000,99999999999999999999\n2_000,1\n")
    X = read_file(tmp_path / "data.csv")
    assert list(X["a"]) == ["1_000", "2_000"]
    assert list(X["b"]) == [1e20, 1.0]


def test_numbers_alone_have_no_header(tmp_path):
    (tmp_path / "data.csv").write_text("1,2.5\n3,4.5\n")
    assert read_file(tmp_path / "data.csv").to_dict("list") == {"x0": [1, 3], "x1": [2.5, 4.5]}


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2", "i8", ">i4", "u1", "?"])
def test_arrays_become_tables(tmp_path, dtype):
    X = np.array([[0, 1], [1, 1], [1, 0], [0, 1]], dtype=dtype)
    np.save(tmp_path / "x.npy", X)
    table = read_file(tmp_path / "x.npy")
    assert list(table) == ["x0", "x1"]
    assert_array_equal(table, X)
    np.save(tmp_path / "x.npy", X[:, 0])
    assert list(read_file(tmp_path / "x.npy")) == ["x0"]
    assert main(["compare", str(tmp_path / "x.npy"), "--cv", "4"]) == 0


def test_parquet(run, tmp_path):
    X = load_faithful(as_frame=True).data
    X.to_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(read_file(tmp_path / "x.parquet"), X)
    X["eruptions"] = X["eruptions"].where(X["eruptions"] < 4)
    X.to_parquet(tmp_path / "x.parquet")
    code, _, err = run("compare", tmp_path / "x.parquet")
    assert (code, is_a_sentence(err)) == (2, True)
    assert "column 'eruptions' has" in err


def test_polars_serves_where_pandas_is_missing(run, faithful, monkeypatch, tmp_path):
    import polars as pl

    find_spec = skgen.tables.importlib.util.find_spec
    hidden = {"pandas"}
    monkeypatch.setattr(
        skgen.tables.importlib.util, "find_spec", lambda name: None if name in hidden else find_spec(name)
    )
    assert isinstance(read_file(faithful), pl.DataFrame)
    code, out, _ = run("compare", faithful, "--models", "gaussian", "--out", tmp_path / "results")
    assert code == 0
    assert (tmp_path / "results" / "samples.csv").read_text().startswith("eruptions,waiting\n")
    swapped = pl.read_csv(faithful).select("waiting", "eruptions")
    swapped.write_parquet(tmp_path / "swapped.parquet")
    assert run("score", tmp_path / "results" / "model.skgen", tmp_path / "swapped.parquet")[0] == 0
    hidden.add("polars")
    code, _, err = run("compare", faithful)
    assert (code, is_a_sentence(err)) == (2, True)
    assert "pip install 'skgen[all]'" in err
