"""A small z-buffer: posed triangles in, an anti-aliased 8-bit picture out. All compiled code of the generator lives here.

Colours are linear light; the picture is sRGB. No threads and no unordered sums, so the same input gives the same bytes.
"""

import numpy as np

from ifdd.machine_code import compiled

SUPERSAMPLING = 2
"""Samples per pixel and axis."""

_codes = np.linspace(0.0, 1.0, 4096)
SRGB = np.where(_codes <= 0.0031308, 12.92 * _codes, 1.055 * _codes ** (1 / 2.4) - 0.055).astype(np.float32) * np.float32(255.0)
"""Linear light in [0, 1] -> sRGB in [0, 255], 4096 steps."""


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values in [0, 1]."""
    srgb = np.asarray(srgb, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@compiled(error_model="numpy")
def deform(rest: np.ndarray, basis: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:  # pragma: no cover
    """out (V, 3) = rest + sum of weights (A,) times basis (A, V, 3)."""
    v = rest.shape[0]
    for i in range(v):
        out[i, 0], out[i, 1], out[i, 2] = rest[i, 0], rest[i, 1], rest[i, 2]
    for k in range(weights.shape[0]):
        w = weights[k]
        if w != 0.0:
            for i in range(v):
                out[i, 0] += w * basis[k, i, 0]
                out[i, 1] += w * basis[k, i, 1]
                out[i, 2] += w * basis[k, i, 2]


@compiled(error_model="numpy")
def keep_outside(points: np.ndarray, index: np.ndarray, centre: np.ndarray, radius: float) -> None:  # pragma: no cover
    """Pushes the points (V, 3) named by `index` out of a ball, straight forward: lids slide over the eyeball."""
    for i in index:
        dx, dy, dz = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        front = radius * radius - dx * dx - dy * dy
        if front > 0.0:
            depth = np.sqrt(front)
            if -depth < dz < depth:
                points[i, 2] = centre[2] + depth


@compiled(error_model="numpy")
def vertex_normals(points: np.ndarray, triangles: np.ndarray, out: np.ndarray) -> None:  # pragma: no cover
    """Area-weighted unit normals (V, 3)."""
    out[:] = 0.0
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for i in range(out.shape[0]):
        n = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + np.float32(1e-12)
        out[i, 0] /= n
        out[i, 1] /= n
        out[i, 2] /= n


@compiled(error_model="numpy")
def rasterise(
    screen: np.ndarray, triangles: np.ndarray, depth: np.ndarray, face: np.ndarray, bary: np.ndarray
) -> None:  # pragma: no cover
    """Nearest triangle of every sample.

    screen (V, 3): x and y in samples (centres at integer + 0.5, y down) and nearness, larger is nearer (1 / distance, which is
    linear on the screen). Fills depth (H, W), face (H, W; -1 where empty) and bary (H, W, 2), the weights of the second and
    third corner. Triangles that show their back (clockwise seen with y up) are left out; a sample on a shared edge belongs to
    whichever triangle is nearer, the first on a tie, so no seam stays open.
    """
    height, width = depth.shape
    depth[:] = 0.0
    face[:] = -1
    for f in range(triangles.shape[0]):
        i, j, k = np.uintp(triangles[f, 0]), np.uintp(triangles[f, 1]), np.uintp(triangles[f, 2])
        ax, ay = np.float64(screen[i, 0]), np.float64(screen[i, 1])
        bx, by = np.float64(screen[j, 0]), np.float64(screen[j, 1])
        cx, cy = np.float64(screen[k, 0]), np.float64(screen[k, 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= -1e-9:  # y points down, so a front has a negative area
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
        x1 = min(int(np.floor(max(ax, bx, cx) - 0.5)), width - 1)
        y0 = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
        y1 = min(int(np.floor(max(ay, by, cy) - 0.5)), height - 1)
        if x1 < x0 or y1 < y0:
            continue
        inverse = 1.0 / area
        za, zb, zc = screen[i, 2], screen[j, 2], screen[k, 2]
        # both weights and the nearness change by a constant from sample to sample
        w1_x, w1_y = (cy - ay) * inverse, (ax - cx) * inverse
        w2_x, w2_y = (ay - by) * inverse, (bx - ax) * inverse
        for y in range(y0, y1 + 1):
            dy = y + 0.5 - ay
            for x in range(x0, x1 + 1):
                dx = x + 0.5 - ax
                w1 = dx * w1_x + dy * w1_y
                w2 = dx * w2_x + dy * w2_y
                if w1 >= -1e-6 and w2 >= -1e-6 and w1 + w2 <= 1.000001:
                    z = za + w1 * (zb - za) + w2 * (zc - za)
                    if z > depth[y, x]:
                        depth[y, x] = z
                        face[y, x] = f
                        bary[y, x, 0] = w1
                        bary[y, x, 1] = w2


@compiled(fastmath=True, error_model="numpy")
def shade(
    face: np.ndarray,
    bary: np.ndarray,
    triangles: np.ndarray,
    normals: np.ndarray,
    colour: np.ndarray,
    uv: np.ndarray,
    gloss: np.ndarray,
    texture: np.ndarray,
    creases: np.ndarray,
    crease_weights: np.ndarray,
    lights: np.ndarray,
    ambient: np.ndarray,
    background: np.ndarray,
    curve: np.ndarray,
    out: np.ndarray,
) -> None:  # pragma: no cover
    """Lights the visible samples and averages them to pixels.

    colour (V, 3) linear; uv (V, 2) in [0, 1] or negative where there is no texture; gloss (V,); texture (h, w, 3) linear;
    creases (h, w, K), darkening by crease_weights (K,); lights (L, 2, 3): direction to the light, colour; ambient (2, 3): from
    below, from above; background (H, W, 3) linear; curve: `SRGB`; out (H, W, 3) uint8.
    """
    height, width = out.shape[0], out.shape[1]
    s = face.shape[0] // height
    th, tw = texture.shape[0], texture.shape[1]
    across, along = np.float32(tw - 1), np.float32(th - 1)
    one, none = np.float32(1.0), np.float32(0.0)
    active = np.flatnonzero(crease_weights)
    keep, warm = np.float32(0.4), np.float32(0.6)
    wrap_r, wrap_g, wrap_hard = np.float32(0.22), np.float32(0.1), np.float32(0.05)
    halves = np.empty((lights.shape[0], 3), np.float32)
    for q in range(lights.shape[0]):  # the viewer is far: one half vector for all
        hx, hy, hz = lights[q, 0, 0], lights[q, 0, 1], lights[q, 0, 2] + 1.0
        n = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        halves[q, 0], halves[q, 1], halves[q, 2] = hx / n, hy / n, hz / n
    for y in range(height):
        for x in range(width):
            red = green = blue = none
            step = 1
            if s == 2:  # one diagonal is enough inside the skin, whose texture is soft, and inside a triangle
                first = face[2 * y, 2 * x]
                alike = first >= 0
                for sub in range(1, 4):
                    f = face[2 * y + sub // 2, 2 * x + sub % 2]
                    if f != first and (f < 0 or not alike or min(uv[triangles[f, 0], 0], uv[triangles[first, 0], 0]) < none):
                        alike = False
                step = 3 if alike else 1
            taken = 0
            for sub in range(0, s * s, step):
                taken += 1
                yy, xx = y * s + sub // s, x * s + sub % s
                f = face[yy, xx]
                if f < 0:
                    red += background[y, x, 0]
                    green += background[y, x, 1]
                    blue += background[y, x, 2]
                    continue
                i, j, k = np.uintp(triangles[f, 0]), np.uintp(triangles[f, 1]), np.uintp(triangles[f, 2])
                w1, w2 = bary[yy, xx, 0], bary[yy, xx, 1]
                w0 = one - w1 - w2
                nx = w0 * normals[i, 0] + w1 * normals[j, 0] + w2 * normals[k, 0]
                ny = w0 * normals[i, 1] + w1 * normals[j, 1] + w2 * normals[k, 1]
                nz = w0 * normals[i, 2] + w1 * normals[j, 2] + w2 * normals[k, 2]
                n = one / (np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6))
                nx, ny, nz = nx * n, ny * n, nz * n
                r = w0 * colour[i, 0] + w1 * colour[j, 0] + w2 * colour[k, 0]
                g = w0 * colour[i, 1] + w1 * colour[j, 1] + w2 * colour[k, 1]
                b = w0 * colour[i, 2] + w1 * colour[j, 2] + w2 * colour[k, 2]
                skin = uv[i, 0] >= none
                if skin:
                    u = (w0 * uv[i, 0] + w1 * uv[j, 0] + w2 * uv[k, 0]) * across
                    v = (w0 * uv[i, 1] + w1 * uv[j, 1] + w2 * uv[k, 1]) * along
                    iu, iv = np.uintp(min(max(int(u), 0), tw - 2)), np.uintp(min(max(int(v), 0), th - 2))
                    iu1, iv1 = iu + np.uintp(1), iv + np.uintp(1)
                    fu, fv = u - np.float32(iu), v - np.float32(iv)
                    w00, w01 = (one - fu) * (one - fv), fu * (one - fv)
                    w10, w11 = (one - fu) * fv, fu * fv
                    dark = one
                    for m in active:
                        dark -= crease_weights[m] * creases[iv, iu, m]
                    dark = max(dark, np.float32(0.25))
                    tr = w00 * texture[iv, iu, 0] + w01 * texture[iv, iu1, 0]
                    tg = w00 * texture[iv, iu, 1] + w01 * texture[iv, iu1, 1]
                    tb = w00 * texture[iv, iu, 2] + w01 * texture[iv, iu1, 2]
                    tr += w10 * texture[iv1, iu, 0] + w11 * texture[iv1, iu + 1, 0]
                    tg += w10 * texture[iv1, iu, 1] + w11 * texture[iv1, iu + 1, 1]
                    tb += w10 * texture[iv1, iu, 2] + w11 * texture[iv1, iu + 1, 2]
                    r, g, b = r * tr * dark, g * tg * dark * (warm + keep * dark), b * tb * dark * (warm + keep * dark)
                shine = w0 * gloss[i] + w1 * gloss[j] + w2 * gloss[k]
                up = np.float32(0.5) + np.float32(0.5) * ny
                lr = ambient[0, 0] + (ambient[1, 0] - ambient[0, 0]) * up
                lg = ambient[0, 1] + (ambient[1, 1] - ambient[0, 1]) * up
                lb = ambient[0, 2] + (ambient[1, 2] - ambient[0, 2]) * up
                sr = sg = sb = none
                for q in range(lights.shape[0]):
                    d = nx * lights[q, 0, 0] + ny * lights[q, 0, 1] + nz * lights[q, 0, 2]
                    # light that wanders under the skin softens the shadow's edge, red most
                    wr = wrap_r if skin else wrap_hard
                    wg = wrap_g if skin else wrap_hard
                    dr, dg = max((d + wr) / (one + wr), none), max((d + wg) / (one + wg), none)
                    lr += dr * lights[q, 1, 0]
                    lg += dg * lights[q, 1, 1]
                    lb += dg * lights[q, 1, 2]
                    h = max(nx * halves[q, 0] + ny * halves[q, 1] + nz * halves[q, 2], none)
                    h = h * h
                    h = h * h
                    h = h * h
                    h = h * h  # exponent 16
                    if shine > 0.8:  # wet: a small hard catch light
                        h = h * h
                        h = h * h
                        h = h * h
                        h = h * h
                        h = h * h
                    if d > -0.1:
                        sr += shine * h * lights[q, 1, 0]
                        sg += shine * h * lights[q, 1, 1]
                        sb += shine * h * lights[q, 1, 2]
                red += r * lr + sr
                green += g * lg + sg
                blue += b * lb + sb
            top, share = curve.shape[0] - 1, one / np.float32(taken)
            out[y, x, 0] = np.uint8(curve[min(max(int(red * share * top), 0), top)] + np.float32(0.5))
            out[y, x, 1] = np.uint8(curve[min(max(int(green * share * top), 0), top)] + np.float32(0.5))
            out[y, x, 2] = np.uint8(curve[min(max(int(blue * share * top), 0), top)] + np.float32(0.5))
