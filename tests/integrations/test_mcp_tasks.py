"""Forty tasks of an assistant, asked of `sasnet mcp` by the official client over both transports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from assistants import (
    RADIUS,
    SLD,
    SOLVENT,
    answer,
    asked,
    by_http,
    by_stdio,
    refusal,
    served,
    sphere,
    written,
)
from mcp.client import Client
from refused import REFUSED

Answer = dict[str, Any]
VALUES = {"radius": RADIUS, "sld": SLD, "sld_solvent": SOLVENT, "scale": 0.01, "background": 0.02}
ONE = {"models": ["sphere"], "structure_factor": "none", "time_limit": 30}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("beamtime")
    (found / "run").mkdir()
    (found / "out").mkdir()
    q = np.geomspace(0.005, 0.3, 90)
    written(found / "sphere.dat", sphere(q), q, 1)
    written(found / "run" / "d2o.dat", sphere(q, solvent=6.36), q, 2)
    written(found / "run" / "h2o.dat", sphere(q, solvent=-0.56), q, 3)
    written(found / "nm.dat", sphere(q), 10 * q, 4, unit="1/nm")
    written(found / "line.dat", 1e-6 * q**-4 + 0.02, q, 5)
    # What no model of a scattering curve does.
    written(found / "odd.dat", 1.0 + np.arange(q.size) // 7 % 2, q, 6)
    np.savetxt(found / "two.txt", np.column_stack([q, sphere(q)]), header="q(1/A) I")
    (found / "results.csv").write_text(
        'file,entry,error\na.dat,,\nb.dat,,"b.dat: cannot be read."\n', encoding="utf-8"
    )
    (found / "junk.dat").write_text("nothing here\n", encoding="utf-8")
    (found / "link.dat").symlink_to("/etc/passwd")
    with (found / "huge.dat").open("wb") as large:
        large.truncate(201 * 2**20)
    return found


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


class Talk:
    """A conversation: what later tasks need of earlier ones."""

    def __init__(self, client: Client) -> None:
        self.client, self.kept = client, dict[str, Answer]()
        self.shares: list[float] = []  #: That were said to be done while something was asked.

    async def ask(self, tool: str, keep: str = "", **given: Any) -> Answer:
        async def hear(done: float, total: float | None, message: str | None) -> None:
            del total, message
            self.shares.append(done)

        found = await answer(self.client, tool, hear, **given)
        if keep:
            self.kept[keep] = found
        return found

    async def refused(self, tool: str, **given: Any) -> str:
        found = await refusal(self.client, tool, **given)
        assert len(found.splitlines()) == 1, found
        assert "Traceback" not in found
        return found


Task = Callable[[Talk], Awaitable[bool]]


def reads(file: str, **expected: Any) -> Task:
    async def task(talk: Talk) -> bool:
        (data,) = (await talk.ask("read", file=file))["data_sets"]
        return all(data[key] == value for key, value in expected.items())

    return task


def answers(tool: str, good: Callable[[Answer], Any], keep: str = "", **given: Any) -> Task:
    async def task(talk: Talk) -> bool:
        return bool(good(await talk.ask(tool, keep, **given)))

    return task


def refuses(tool: str, words: str, **given: Any) -> Task:
    async def task(talk: Talk) -> bool:
        said = await talk.refused(tool, **given)
        assert words in said, said
        return True

    return task


def about(keep: str, good: Callable[[Answer], Any]) -> Task:
    """A question that an earlier answer answers, without another call: is it sure, how large, what next."""

    async def task(talk: Talk) -> bool:
        return bool(good(talk.kept[keep]))

    return task


async def exported(talk: Talk) -> bool:
    found = await talk.ask("export", fit=talk.kept["fit"]["fit"], folder="out/sphere")
    endings = {Path(name).name.partition(".")[2] for name in found["written"]}
    return {"sasview.json", "bumps.py", "nxcansas.h5", "html"} <= endings and all(
        Path(name).is_file() for name in found["written"]
    )


async def next_measurement(talk: Talk) -> bool:
    found = await talk.ask(
        "next_measurement", "plan", fit=talk.kept["fit"]["fit"], parameter="radius", aim=0.005,
        solvents=["H2O"], changes={"twice as much": {"scale": 0.02}}, instrument="lab_saxs", time=300,
    )  # fmt: skip
    errors = [row["error"] for row in found["measurements"]]
    names = [row["name"] for row in found["measurements"]]
    assert any(name.endswith("in H2O") for name in names), names
    assert "twice as much" in names
    assert found["unit_of_time"] == "s"
    assert not any("--" in line for line in found["lines"])
    return found["for"] == "radius" and all(error > 0 for error in errors) and "radius" in found["lines"][1]


async def did_the_plan_hold(talk: Talk) -> bool:
    found = await talk.ask(
        "next_measurement", fit=talk.kept["both"]["fit"], parameter="radius", solvents=["40%D2O"],
        plan=talk.kept["plan"]["plan"],
    )  # fmt: skip
    return "plan" in found["lines"][2] and not any("--" in line for line in found["lines"])


async def page_of_the_fit(talk: Talk) -> bool:
    (page,) = (await talk.client.read_resource(f"sasnet://fit/{talk.kept['fit']['fit']}/report")).contents
    return page.mime_type == "text/html" and "its the data" in page.text


async def picture_of_the_fit(talk: Talk) -> bool:
    import base64

    (made,) = (await talk.client.read_resource(f"sasnet://fit/{talk.kept['fit']['fit']}/picture")).contents
    return made.mime_type == "image/png" and base64.b64decode(made.blob).startswith(b"\x89PNG")


async def skill(talk: Talk) -> bool:
    (text,) = (await talk.client.read_resource("sasnet://skill")).contents
    tools = {tool.name for tool in (await talk.client.list_tools()).tools}
    return all(f"`{name}`" in text.text for name in tools)


async def progress(talk: Talk) -> bool:
    return bool(talk.shares)


async def no_page_of_nothing(talk: Talk) -> bool:
    with pytest.raises(Exception, match="no such fit"):
        await talk.client.read_resource("sasnet://fit/fit99/report")
    return True


async def cancelled(talk: Talk) -> bool:
    with anyio.move_on_after(2.0) as scope:
        await talk.client.call_tool("fit", {"file": "odd.dat", "time_limit": 300})
    with anyio.fail_after(200):
        found = await talk.ask("fit", file="sphere.dat", **ONE)
    return scope.cancelled_caught and found["fits"][0]["model"] == "sphere"


def radius_of(found: Answer) -> Answer:
    return dict(found["fits"][0]["parameters"]["radius"])


def near(found: Answer, value: float, share: float) -> bool:
    return abs(found["value"] - value) < share * value and 0 < found["error"] < share * value


FIT = "what explains it, and how large is it"
TASKS: dict[str, Task] = {
    "what is in the folder": answers(
        "list_files", lambda a: "sphere.dat" in a["files"] and "link.dat" not in a["files"]
    ),
    "what is in this part of it": answers("list_files", lambda a: len(a["files"]) == 2, folder="run"),
    "how many points has it": reads("sphere.dat", points=90, has_uncertainties=True),
    "which q range, in which unit": answers(
        "read", lambda a: a["data_sets"][0]["q_range"]["unit"] == "1/Å"
        and abs(a["data_sets"][0]["q_range"]["high"] - 0.3) < 1e-3, file="sphere.dat",
    ),
    "was the unit stated": answers(
        "read", lambda a: a["data_sets"][0]["q_unit"]["stated"], file="sphere.dat"
    ),
    "this one is in 1/nm": answers(
        "read", lambda a: abs(a["data_sets"][0]["q_range"]["high"] - 0.3) < 1e-3, file="nm.dat"
    ),
    "has it errors": reads("two.txt", has_uncertainties=False),
    "what is it, at a glance": answers(
        "classify", lambda a: "sphere" in [m["model"] for m in a["models"][:3]] and not a["caution"],
        file="sphere.dat",
    ),
    "how probable is that": answers(
        "classify", lambda a: 0.3 < sum(m["probability"] for m in a["models"]) <= 1 + 1e-9, file="sphere.dat"
    ),
    "which kind of body": answers(
        "classify", lambda a: "sphere" in max(a["groups"], key=lambda g: g["probability"])["members"],
        file="sphere.dat",
    ),
    "where does the guess come from": answers(
        "classify", lambda a: "nothing was fitted" in a["source"], file="sphere.dat"
    ),
    "is this one of yours at all": answers(
        "classify", lambda a: a["in_scope"] < 0.5 and a["caution"], file="odd.dat"
    ),
    "and in the other unit": answers(
        "classify", lambda a: "sphere" in [m["model"] for m in a["models"][:3]], file="nm.dat"
    ),
    "Rg without a model": answers(
        "model_free", lambda a: abs(a["guinier"]["rg"] / (np.sqrt(0.6) * RADIUS) - 1) < 0.03,
        file="sphere.dat",
    ),
    "with its error": answers("model_free", lambda a: 0 < a["guinier"]["rg_error"] < 2, file="sphere.dat"),
    "which slope": answers(
        "model_free", lambda a: abs(abs(a["porod"]["exponent"]) - 4) < 0.2, file="line.dat"
    ),
    "density of heavy water": answers("sld", lambda a: abs(a["sld"] - 6.36) < 0.02, material="D2O"),
    "of silica for X-rays": answers(
        "sld", lambda a: 15 < a["sld"] < 22, material="SiO2@2.2", probe="xray", wavelength=1.54
    ),
    "of a mixture of waters": answers("sld", lambda a: 1.9 < a["sld"] < 2.5, material="40%D2O"),
    "what does the model mean": answers(
        "explain", lambda a: {"radius", "thickness"} <= {p["name"] for p in a["parameters"]},
        model="core_shell_sphere",
    ),
    "what is it mistaken for": answers(
        "explain", lambda a: "vesicle" in a["hard_to_tell_from"], model="core_shell_sphere"
    ),
    "what would a sphere give": answers(
        "evaluate", lambda a: np.allclose(a["intensity"], sphere(np.array([0.01, 0.1])), rtol=1e-3),
        model="sphere", parameters=VALUES, q=[0.01, 0.1],
    ),
    "do these values fit the data": answers(
        "evaluate", lambda a: 0.5 < a["reduced_chisq"] < 1.6, model="sphere", parameters=VALUES,
        file="sphere.dat",
    ),
    "and with a wrong radius": answers(
        "evaluate", lambda a: a["reduced_chisq"] > 20, model="sphere",
        parameters={**VALUES, "radius": 80.0}, file="sphere.dat",
    ),
    FIT: answers("fit", lambda a: a["verdict"].startswith("explains"), "fit", file="sphere.dat",
                 sample="SiO2@2.2", solvent="D2O", **ONE),
    "how far is it, meanwhile": progress,
    "how large, with which error": about("fit", lambda a: near(radius_of(a), RADIUS, 0.02)),
    "in which unit, from where": about(
        "fit", lambda a: radius_of(a)["unit"] == "Ang" and "fitted" in radius_of(a)["source"]
    ),
    "was the contrast fitted": about(
        "fit", lambda a: a["fits"][0]["parameters"]["sld_solvent"]["source"] == "given, not fitted"
    ),
    "is it sure": about(
        "fit", lambda a: a["headline"] and "caution" in a and 0 < a["fits"][0]["weight"] <= 1
    ),
    "what next": about("fit", lambda a: "next" in a),
    "hold the radius at 50": answers(
        "fit", lambda a: radius_of(a)["error"] is None and not a["verdict"].startswith("explains"),
        file="sphere.dat", fixed={"radius": 50.0, "radius_pd": 0.0}, **ONE,
    ),
    "both waters together": answers(
        "fit_together", lambda a: a["fit"], "both", files=["run/d2o.dat", "run/h2o.dat"],
        solvents=["D2O", "0%D2O"], models=["sphere"], time_limit=40,
    ),
    "which measurement comes next": next_measurement,
    "did it hold": did_the_plan_hold,
    "a plan with an option that is none": refuses(
        "next_measurement", "is no part with its material", fit="fit1", exchange={"sld": "sugar"}
    ),
    "a plan with a wrong formula": refuses(
        "next_measurement", "Xx", fit="fit1", exchange={"sld": "C6Xx7@1.5"}
    ),
    "after no plan": refuses("next_measurement", "there is no such plan", fit="fit1", plan="plan99"),
    "a plan of no fit": refuses("next_measurement", "there is no such fit", fit="fit99"),
    "give it to SasView": exported,
    "show me the page": page_of_the_fit,
    "show me the picture": picture_of_the_fit,
    "how are the tools meant": skill,
    "how far is the batch": answers(
        "batch_status", lambda a: (a["answered"], a["failed"]) == (1, 1), results="results.csv"
    ),
    "which files failed": answers(
        "batch_status", lambda a: "cannot be read" in a["first_errors"][0], results="results.csv"
    ),
    "a page of no fit": no_page_of_nothing,
    "stop that fit": cancelled,
}  # fmt: skip
#: What takes long and is nothing but another question and answer to a transport, asked over one of them.
ONCE = {
    "hold the radius at 50", "both waters together", "which measurement comes next", "did it hold",
    "give it to SasView",
}  # fmt: skip
HOSTILE: dict[str, Task] = {
    **{
        f"read {file!r}": refuses("read", "is not in", file=file)
        for file in ("/etc/passwd", "../../etc/passwd", "link.dat", "run/../../x", "\0", "~/x", "/proc/self")
    },
    "a file that is no curve": refuses("classify", "junk.dat", file="junk.dat"),
    "a file that is too large": refuses("read", "more than 200 MiB", file="huge.dat"),
    "an instrument elsewhere": refuses(
        "next_measurement", "is not in", fit="fit1", instrument="/etc/passwd"
    ),
    "too many points": refuses(
        "evaluate", "at most 100,000", model="sphere", parameters={}, q=[0.1] * 100_001
    ),
    "export elsewhere": refuses("export", "is not in", fit="../fit1", folder="/tmp"),
    "export of no fit": refuses("export", "no such fit", fit="../fit1", folder="exports"),
    "a table that is none": refuses("batch_status", "give the .csv table", results="junk.dat"),
    **{
        f"a fit with {changes}": refuses("fit", words, file="sphere.dat", **changes)
        for changes, words in REFUSED
    },
}  # fmt: skip


def test_there_are_forty_tasks_or_more() -> None:
    assert len(TASKS) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("by", [by_stdio, by_http])
def test_an_assistant_does_forty_tasks_and_whoever_means_ill_is_refused(
    by: Any, folder: Path, address: str
) -> None:
    asks = {name: task for name, task in TASKS.items() if by is by_stdio or name not in ONCE}

    async def tasks(client: Client) -> None:
        talk = Talk(client)
        failed = [name for name, task in {**asks, **HOSTILE}.items() if not await task(talk)]
        assert failed == []

    asked(by, folder, address, tasks)


def test_an_oversized_request_is_refused_and_the_next_is_answered(folder: Path, address: str) -> None:
    import httpx2
    from assistants import KEY

    head = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream"}  # fmt: skip
    found = httpx2.post(address, content=b'{"x": "' + b"a" * (5 * 2**20) + b'"}', headers=head)
    assert found.status_code == 413

    async def tasks(client: Client) -> None:
        wrong = await client.call_tool("evaluate", {"model": "sphere", "parameters": "none", "q": "all"})
        assert wrong.is_error
        assert (await answer(client, "read", file="sphere.dat"))["file"] == "sphere.dat"

    asked(by_http, folder, address, tasks)


@pytest.mark.slow
def test_two_clients_fit_at_once_and_each_has_its_own(folder: Path, address: str) -> None:
    async def run() -> None:
        radius: dict[str, float] = {}

        async def one(file: str) -> None:
            async with by_http(folder, address) as client:
                found = await answer(client, "fit", file=file, **ONE)
                assert found["file"] == file
                radius[file] = radius_of(found)["value"]
                radius[found["fit"]] = 0.0

        async with anyio.create_task_group() as group:
            group.start_soon(one, "sphere.dat")
            group.start_soon(one, "run/h2o.dat")
        assert len(radius) == 4, "two files, two fits"
        assert radius["sphere.dat"] == pytest.approx(RADIUS, rel=0.02)

    anyio.run(run)
