"""Pictures of a run: what is drawn, what is said of it, when it is drawn again and when no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.core.kernels import png
from workbench.live.errors import RunEndedError
from workbench.notebook import pictures_colors as colors
from workbench.notebook.hub import close_hub, get_hub
from workbench.notebook.pictures_surface import SIDE, SurfaceDrawing
from workbench.notebook.pictures_tiles import TileDrawing

DEADLINE = 20.0


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def counter() -> Iterator[tuple[Any, Any]]:
    """A run that waits, in which a matrix grows by 1 with every step."""
    with wb.Graph().as_default():
        total = wb.Variable(np.zeros([2, 3], np.float32), name="total")
        step = total.assign_add(np.ones([2, 3], np.float32))
        run = wb.run(step, folder=None, paused=True)
        try:
            yield run, total
        finally:
            run.close()
            close_hub()


# -- colours -------------------------------------------------------------------------------------


def luminance(pixels: Any) -> Any:
    return pixels.astype(float) @ [0.2126, 0.7152, 0.0722]


def test_more_is_lighter() -> None:
    assert (np.diff(luminance(colors.amount(np.linspace(0, 1, 64)))) > 0).all()


def test_signs_have_colours_of_their_own_and_equal_weight() -> None:
    low, none, high = colors.sign([-1.0, 0.0, 1.0]).astype(int)
    assert low[2] > low[0] and high[0] > high[2]
    assert none.min() > 240
    assert abs(luminance(low) - luminance(high)) < 40


def test_what_is_not_finite_has_a_colour_that_no_number_has() -> None:
    numbers = np.linspace(-1, 1, 999)
    for scale in (colors.amount, colors.sign, colors.chance):
        for value in (np.nan, np.inf, -np.inf):
            assert tuple(scale([value])[0]) == colors.NOT_FINITE
        assert not (scale(numbers) == colors.NOT_FINITE).all(axis=1).any()


# -- tiles ---------------------------------------------------------------------------------------


def test_each_filter_is_a_tile_scaled_by_its_own_largest_value() -> None:
    filters = np.zeros((2, 2, 1, 4), np.float32)
    filters[0, 0, 0, :] = [1e-3, 1.0, -1e3, 0.0]
    image = TileDrawing("filters", "kernel").draw(filters)
    height, width = image.shape[0] // 2, image.shape[1] // 2
    corners = [image[3, 3], image[3, width + 3], image[height + 3, 3], image[-3, -3]]
    assert corners[0].tolist() == corners[1].tolist() == colors.sign(1.0).tolist()
    assert corners[2].tolist() == colors.sign(-1.0).tolist()
    assert corners[3].tolist() == colors.sign(0.0).tolist()


@pytest.mark.parametrize(
    ("kind", "shape", "said"),
    [
        ("filters", (3, 5, 1, 7), "7 filters of 3 x 5"),
        ("filters", (3, 3, 4, 8), "32 filters of 3 x 3"),
        ("filters", (3, 3, 32, 64), "the first 64 of 2048 filters of 3 x 3"),
        ("images", (1, 8, 8, 16), "16 images of 8 x 8"),
        ("images", (5, 8, 8, 3), "5 images of 8 x 8"),
        ("images", (2, 8, 6), "2 images of 8 x 6"),
        ("images", (200, 9, 9, 16), "the first 64 of 3200 images of 9 x 9"),
        ("images", (1, 900, 700, 1), "1 image of 900 x 700"),
        ("heat map", (64, 10), "64 x 10"),
        ("heat map", (5,), "1 x 5"),
        ("heat map", (3000, 2), "3000 x 2"),
    ],
)
def test_pictures_have_a_size_for_a_page_and_words(
    kind: str, shape: tuple[int, ...], said: str
) -> None:
    drawing = TileDrawing(kind, "it")
    values = np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)
    image = drawing.draw(values)
    assert image.dtype == np.uint8 and image.shape[2] == 3
    assert max(image.shape) <= 700
    assert drawing.describe(values).startswith(f"it: {said}, from -")
    assert png.header(png.write(image, 1, False))[:2] == image.shape[1::-1]


def test_zero_keeps_its_colour_once_a_tensor_was_negative() -> None:
    drawing = TileDrawing("heat map", "w")
    zeros = np.zeros((1, 1), np.float32)
    assert drawing.draw(zeros)[0, 0].tolist() == colors.amount(0.0).tolist()
    drawing.draw(zeros - 1)
    assert drawing.draw(zeros)[0, 0].tolist() == colors.sign(0.0).tolist()


# -- surfaces ------------------------------------------------------------------------------------


def test_a_surface_shows_the_probabilities_where_they_are() -> None:
    points = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    drawing = SurfaceDrawing(points, np.array([0, 1, 0]), "p")
    right = (drawing.grid[:, 0] > 0).astype(np.float32)
    image = drawing.draw(right)
    middle, edge = image.shape[0] // 2, image.shape[1] - 2
    assert image[middle, 1].tolist() == colors.chance(0.0).tolist()
    assert image[middle, edge].tolist() == colors.chance(1.0).tolist()
    assert drawing.describe(right) == "p: class 0 on 50 %, class 1 on 50 % of the plane"
    # Upwards is upwards: the point at the top right is of class 1, that at the bottom left of 0.
    half = image.shape[0] // 2
    assert (image[:half, half:] == colors.CLASSES[1]).all(axis=2).any()
    assert not (image[half:, half:] == colors.CLASSES[1]).all(axis=2).any()
    assert (image[half:, :half] == colors.CLASSES[0]).all(axis=2).any()


def test_a_surface_of_several_classes_and_of_nan() -> None:
    points = np.random.RandomState(0).standard_normal((30, 2))
    drawing = SurfaceDrawing(points, np.arange(30) % 3, "p")
    chances = np.zeros((SIDE**2, 3), np.float32)
    chances[:, 2] = 1
    assert drawing.describe(chances).startswith("p: class 0 on 0 %, class 1 on 0 %, class 2 on 100")
    before = drawing.draw(chances)
    chances[0] = np.nan
    changed = drawing.draw(chances)
    assert tuple(changed[0, 0]) == colors.NOT_FINITE != tuple(before[0, 0])


# -- following a run -----------------------------------------------------------------------------


def test_a_picture_follows_the_run_forwards_and_back(counter: Any) -> None:
    run, total = counter
    picture = wb.picture(run, total)
    first = picture.image
    assert picture.step == 0 and (picture.values[0] == 0).all()
    run.step(7)
    wait_for(lambda: picture.step == 7)
    assert (picture.values[0] == 7).all()
    assert not np.array_equal(picture.image, first)
    run.rewind(3)
    wait_for(lambda: picture.step == 3)
    assert (picture.values[0] == 3).all()
    run.stop()
    wait_for(lambda: run.state == "stopped")
    run.rewind(2)
    run.step(2)
    wait_for(lambda: picture.step == 4)


def test_the_end_of_a_run_is_shown() -> None:
    with wb.Graph().as_default():
        total = wb.Variable([0.0], name="total")
        with wb.run(total.assign_add([1.0]), steps=300, folder=None) as run:
            picture = wb.picture(run, "total")
            run.wait(timeout=DEADLINE)
            wait_for(lambda: picture.step == 300)
            assert picture.values[0].tolist() == [300.0]


def test_pictures_are_rare_enough_to_cost_next_to_nothing(counter: Any) -> None:
    run, total = counter
    picture = wb.picture(run, total)
    run.resume()
    start, count = time.monotonic(), picture.count
    time.sleep(1.2)
    assert 1 <= picture.count - count <= (time.monotonic() - start) / 0.2 + 1
    assert 0 < picture.cost <= 0.02


def test_several_pictures_divide_what_one_may_take(counter: Any) -> None:
    run, _ = counter
    with run.graph.as_default():
        large = wb.placeholder(wb.float32, [None, 64], name="large")
    feed = {large: np.random.RandomState(0).standard_normal((64, 64))}
    pictures = [wb.picture(run, large, feed=feed) for _ in range(4)]
    run.resume()
    time.sleep(0.5)
    wait_for(lambda: all(picture.count >= 3 for picture in pictures))
    assert 0 < sum(picture.cost for picture in pictures) <= 0.021


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_a_picture_changes_nothing_in_the_run(tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A run that goes from the one to the other does so at a step of its own.
    monkeypatch.setenv("WORKBENCH_TIER", tier)

    def losses(watched: bool) -> Any:
        with wb.Graph().as_default():
            wb.set_random_seed(3)
            x = wb.placeholder(wb.float32, [None, 4], name="x")
            noise = wb.random_normal([4, 1])
            w = wb.Variable(wb.ones([4, 1]), name="w")
            loss = wb.reduce_mean(wb.square(wb.matmul(x, w + 0.1 * noise)))
            step = wb.train.AdamOptimizer(0.01).minimize(loss)
            data = np.random.RandomState(0).standard_normal((64, 4))
            feed = wb.batches({x: data}, 8, shuffle=True, seed=0)
            run = wb.run(step, 400, feed, {"loss": loss}, folder=None, paused=True)
            with run:
                if watched:
                    wb.picture(run, [w, noise])
                    wb.picture(run, [w, noise], feed={x: data})
                run.resume()
                return run.wait(timeout=DEADLINE).history["loss"]

    np.testing.assert_array_equal(losses(watched=True), losses(watched=False))


def test_a_closed_run_or_picture_is_followed_no_more(counter: Any) -> None:
    run, total = counter
    closed, open_still = wb.picture(run, total), wb.picture(run, total)
    closed.close()
    run.step(1)
    wait_for(lambda: open_still.step == 1)
    assert closed.closed and closed.step == 0
    run.resume()
    run.close()
    wait_for(lambda: open_still not in get_hub().publisher._feeds)
    with pytest.raises(RunEndedError):
        open_still.refresh()


def test_closing_the_widget_ends_the_picture(counter: Any) -> None:
    run, total = counter
    pytest.importorskip("ipywidgets")
    picture = wb.picture(run, total)
    data, _ = picture._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == repr(picture)
    picture._view.close()
    wait_for(lambda: picture.closed)


def test_the_widget_shows_the_picture_and_says_what_it_is(counter: Any) -> None:
    widgets = pytest.importorskip("ipywidgets")
    run, total = counter
    picture = wb.picture(run, [total, total])
    picture._repr_mimebundle_()
    run.step(5)
    wait_for(lambda: picture.step == 5)
    figures = picture._view._box.children
    assert len(figures) == 2
    for figure in figures:
        image, caption = figure.children
        assert isinstance(image, widgets.Image)
        wait_for(lambda shown=image: "step 5" in shown.tooltip)
        assert image.tooltip == "total: 2 x 3, from 5 to 5, step 5"
        assert image.tooltip in caption.value
        assert png.header(bytes(image.value))[:2] == picture.image.shape[1::-1]
    picture.close()


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tensors": "total", "kind": "pie"}, "kind must be 'filters', 'images'"),
        ({"tensors": []}, "nothing to show"),
        ({"tensors": "totla"}, "totla"),
        ({"tensors": "total", "kind": "images"}, "shape .2, 3., but a picture of kind 'images'"),
        ({"tensors": "number"}, "number has 0 axes"),
        ({"tensors": "total", "kind": "surface"}, "needs the points of the plane in its feed"),
        (
            {"tensors": "total", "kind": "surface", "feed": {"x:0": [[0, 1]]}, "labels": [1, 2]},
            "labels must be 1 whole numbers",
        ),
        (
            {"tensors": "total", "kind": "surface", "feed": {"x:0": [[0, 1]]}, "labels": [-1]},
            "count the classes from 0",
        ),
    ],
)
def test_mistakes_are_told_at_once(counter: Any, arguments: dict[str, Any], message: str) -> None:
    run, _ = counter
    with run.graph.as_default():
        wb.constant(1.0, name="number")
        wb.placeholder(wb.float32, [None, 2], name="x")
    with pytest.raises((ValueError, KeyError), match=message):
        wb.picture(run, **arguments)


def test_what_is_no_run_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a run first, but got Tensor"):
        wb.picture(wb.constant([1.0]), wb.constant([1.0]))
    with pytest.raises(TypeError, match="feed must be a dictionary"), wb.Graph().as_default():
        v = wb.Variable([1.0])
        with wb.run(v.assign_add([1.0]), folder=None, paused=True) as run:
            wb.picture(run, v, feed=[1])
