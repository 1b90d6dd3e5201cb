"""The z-buffer against pictures worked out by hand."""

import numpy as np
import pytest

from ifdd.scripted.raster import SRGB, deform, keep_outside, rasterise, shade, to_linear, vertex_normals


def draw(screen: list[list[float]], triangles: list[list[int]], size: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    depth = np.empty((size, size), np.float32)
    face = np.empty((size, size), np.int32)
    bary = np.empty((size, size, 2), np.float32)
    rasterise(np.array(screen, np.float32), np.array(triangles, np.int32), depth, face, bary)
    return depth, face, bary


def test_coverage_of_a_right_triangle() -> None:
    # corners (0,0), (0,4), (4,0) in image coordinates, counter-clockwise with y up: centres with x + y < 4 are inside
    _, face, _ = draw([[0, 0, 1], [0, 4, 1], [4, 0, 1]], [[0, 1, 2]])
    y, x = np.mgrid[0:4, 0:4] + 0.5
    np.testing.assert_array_equal(face >= 0, x + y <= 4)


def test_back_is_culled() -> None:
    _, face, _ = draw([[0, 0, 1], [0, 4, 1], [4, 0, 1]], [[0, 2, 1]])
    assert (face == -1).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_nearer_triangle_wins_in_either_order(order: tuple[int, int]) -> None:
    far = [[-9, -9, 0.1], [-9, 20, 0.1], [20, -9, 0.1]]
    near = [[0, 0, 0.2], [0, 2.01, 0.2], [2.01, 0, 0.2]]
    triangles = [[0, 1, 2], [3, 4, 5]]
    depth, face, _ = draw(far + near, [triangles[i] for i in order])
    expected = np.full((4, 4), order.index(0))
    expected[0, 0] = expected[0, 1] = expected[1, 0] = order.index(1)
    np.testing.assert_array_equal(face, expected)
    assert depth[0, 0] == pytest.approx(0.2)
    assert depth[3, 3] == pytest.approx(0.1)


def test_depth_and_weights_are_interpolated() -> None:
    screen = np.array([[0, 0, 0.1], [0, 8, 0.5], [8, 0, 0.9]])
    depth, face, bary = draw(screen.tolist(), [[0, 1, 2]])
    y, x = np.mgrid[0:4, 0:4] + 0.5
    np.testing.assert_allclose(depth, 0.1 + 0.4 * y / 8 + 0.8 * x / 8, atol=1e-6)
    np.testing.assert_allclose(bary[..., 0], y / 8, atol=1e-6)
    np.testing.assert_allclose(bary[..., 1], x / 8, atol=1e-6)
    assert (face == 0).all()


def test_no_seam_between_neighbours() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.uniform(0, 16, 2), rng.uniform(0, 16, 2)
        corners = [[-60.0, -60.0], [-60.0, 90.0], [90.0, -60.0], [90.0, 90.0]]
        screen = [[*c, 1.0] for c in corners] + [[*a, 1.0], [*b, 1.0]]
        # a fan around a inside of the square leaves no sample empty
        _, face, _ = draw(screen, [[0, 1, 4], [1, 3, 4], [3, 2, 4], [2, 0, 4]], size=16)
        assert (face >= 0).all()


def test_shade_averages_samples_and_keeps_background() -> None:
    # a white, unlit-by-lamps square over the left half: ambient 1 on grey 0.5, background black
    screen = [[0, 0, 1], [0, 4, 1], [3, 0, 1], [3, 4, 1]]
    triangles = np.array([[0, 1, 2], [2, 1, 3]], np.int32)
    _, face, bary = draw(screen, triangles.tolist())
    out = np.empty((2, 2, 3), np.uint8)
    normals = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    texture, crease, lights = np.ones((2, 2, 3), np.float32), np.zeros((2, 2, 1), np.float32), np.zeros((1, 2, 3), np.float32)
    grey, plain, dull = np.full((4, 3), 0.5, np.float32), np.full((4, 2), -1, np.float32), np.zeros(4, np.float32)
    ambient, black = np.ones((2, 3), np.float32), np.zeros((2, 2, 3), np.float32)
    weights = np.zeros(1, np.float32)
    shade(face, bary, triangles, normals, grey, plain, dull, texture, crease, weights, lights, ambient, black, SRGB, out)
    full, half = np.interp([0.5, 0.25], to_linear(np.arange(256) / 255), np.arange(256))
    np.testing.assert_allclose(out[:, 0], full, atol=1)
    np.testing.assert_allclose(out[:, 1], half, atol=1)  # two of four samples covered


def test_deform_is_linear() -> None:
    rng = np.random.default_rng(1)
    rest, basis, weights = (rng.normal(size=s).astype(np.float32) for s in ((7, 3), (4, 7, 3), (4,)))
    out = np.empty_like(rest)
    deform(rest, basis, weights, out)
    np.testing.assert_allclose(out, rest + np.einsum("a,avc->vc", weights, basis), rtol=1e-5, atol=1e-6)


def test_normals_of_a_plane_and_pushed_points() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    normals = np.empty_like(points)
    vertex_normals(points, np.array([[0, 1, 2]], np.int32), normals)
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 3, atol=1e-6)
    inside = np.array([[0, 0.6, 0.1], [5, 0, 0]], np.float32)
    keep_outside(inside, np.array([0, 1]), np.zeros(3, np.float32), np.float32(1.0))
    np.testing.assert_allclose(inside, [[0, 0.6, 0.8], [5, 0, 0]], atol=1e-6)
