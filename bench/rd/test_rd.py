"""The benchmark's arithmetic: BD-rate, layers of JPEG 2000, the tables."""
import io
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import metrics
import peers
import report
from curves import Curve, bd_rate, write

REFERENCE = Path(__file__).parent / "reference/kodak.json"


def test_bd_rate_of_shifted_curves():
    rate = np.array([0.1, 0.2, 0.4, 0.8])
    anchor = Curve("a", rate, [28, 30, 32, 34], [0.9, 0.95, 0.97, 0.99])
    test = Curve("b", 0.8 * rate, [28, 30, 32, 34], [0.9, 0.95, 0.97, 0.99])
    for metric in ("psnr", "msssim"):
        assert bd_rate(test, anchor, metric)[0] == pytest.approx(-20, abs=1e-6)
        assert bd_rate(anchor, test, metric)[0] == pytest.approx(25, abs=1e-6)
    assert bd_rate(Curve("c", rate, [10, 11, 12, 13]), anchor) is None
    assert bd_rate(Curve("c", rate, [28, 30, 32, 34]), anchor, "msssim") is None


def test_bd_rate_of_version_0_is_what_its_card_says():
    """live-v0 against the embedded JPEG 2000 stream: +7.2 % in PSNR, -28.9 % in MS-SSIM, ideal code lengths."""
    points = json.loads((Path(__file__).parent / "reference/live-v0.ideal.json").read_text())["results"]
    test = Curve("live-v0", *([p[k] for p in points] for k in ("bpp", "psnr", "msssim")))
    _, published = report.load(Path("nowhere"), REFERENCE)
    anchor = published["jpeg2000-layers-asked"]
    assert bd_rate(test, anchor, "psnr")[0] == pytest.approx(7.2, abs=0.05)
    assert bd_rate(test, anchor, "msssim")[0] == pytest.approx(-28.9, abs=0.05)


def test_a_curve_keeps_what_no_lower_rate_beats():
    rate, value = Curve("a", [0.3, 0.1, 0.2, 0.4], [31, 29, 32, np.nan]).points("psnr")
    assert rate.tolist() == [0.1, 0.2] and value.tolist() == [29, 32]


def test_layers_of_jpeg_2000():
    """Every layer costs more and shows more, the last is the whole stream, and rates are about what was asked."""
    y, x = np.mgrid[0:192, 0:256]
    noise = np.random.default_rng(0).integers(-20, 20, (192, 256))
    picture = np.stack([x, y, (x * y // 64) % 256], 2) + noise[:, :, None]
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    points = peers.jpeg2000(picture, peers.LAYER_BPP)
    sizes = [p.size for p in points]
    assert sizes == sorted(sizes) and len(set(sizes)) == len(peers.LAYER_BPP)
    error = [np.mean((p.decoded.astype(float) - picture) ** 2) for p in points]
    assert error == sorted(error, reverse=True) and error[0] > 2 * error[-1]
    for size, asked in zip(sizes[2:], peers.LAYER_BPP[2:]):
        assert 8 * size / picture.shape[0] / picture.shape[1] == pytest.approx(asked, rel=0.1)
    file = io.BytesIO()  # the whole stream without the table of lengths
    Image.fromarray(picture).save(
        file, "JPEG2000", irreversible=True, mct=1, quality_mode="rates", progression="LRCP", num_resolutions=6,
        quality_layers=[24 / r for r in peers.LAYER_BPP], no_jp2=True)
    assert sizes[-1] == pytest.approx(file.tell(), rel=0.01)
    few = peers.jpeg2000(picture, (0.125, 1.5))
    assert [p.size for p in few] == [sizes[1], sizes[-1]] and np.array_equal(few[1].decoded, points[-1].decoded)
    with pytest.raises(ValueError):
        peers.layer_sizes(b"\xff\x4f" + bytes(40), 9)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_a_file_for_each_quality(name):
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    points = peers.CODECS[name].run(picture, peers.CODECS[name].settings)
    assert [p.size for p in points] == sorted(p.size for p in points)
    assert all(p.decoded.shape == picture.shape for p in points)


def test_report(tmp_path):
    points = [dict(setting=s, bpp=0.1 * 2**s, psnr=27 + 2 * s, msssim=0.9 + 0.02 * s) for s in range(4)]
    write(tmp_path / "deepfgs.json", "DeepFGS", "made up", dict(pictures=2), points)
    write(tmp_path / "jpeg2000.json", "J2K", "made up", dict(pictures=2), [{**p, "bpp": 2 * p["bpp"]} for p in points])
    report.write_report(tmp_path, "Kodak", REFERENCE)
    text = (tmp_path / "README.md").read_text()
    assert "| J2K | -50.0 % / -50.0 % |" in text
    assert "BPG 4:4:4 (published)" in text
    for file in ("rd-psnr.png", "rd-psnr.svg", "rd-msssim.png", "rd-msssim.svg"):
        assert (tmp_path / file).stat().st_size > 5000


def test_versions_of_the_weights_stand_side_by_side(tmp_path):
    """A version that shipped before needs twice the bits of the present one, and the table says so."""
    rate = np.array([0.1, 0.2, 0.4, 0.8])
    quality = dict(psnr=[28, 30, 32, 34], msssim=[0.9, 0.95, 0.97, 0.99])
    rows = lambda factor: [dict(setting=i, bpp=factor * r, psnr=quality["psnr"][i], msssim=quality["msssim"][i])
                           for i, r in enumerate(rate)]
    (tmp_path / "old").mkdir()
    meta = dict(pictures=24)
    write(tmp_path / "jpeg2000.json", "JPEG 2000", "one", meta, rows(1))
    write(tmp_path / "deepfgs.json", "DeepFGS, cut by channel", "new: cut", meta, rows(0.9))
    write(tmp_path / "old" / "deepfgs.json", "DeepFGS, cut by channel", "old: cut", meta, rows(1.8))
    measured, _ = report.load(tmp_path, None)
    table = report.version_table(tmp_path, measured)
    assert "| old | +80.0 % / +80.0 % | 0.18 to 1.44 bpp, 28.0 to 34.0 dB |" in table
    assert "| new | -10.0 % / -10.0 % | 0.09 to 0.72 bpp, 28.0 to 34.0 dB |" in table
    assert not report.version_table(tmp_path / "old", {})


def test_butteraugli_is_of_the_picture_and_rises_with_the_error():
    if "butteraugli" not in metrics.measured(True):
        pytest.skip(f"{metrics.BUTTERAUGLI} is not installed")
    y, x = np.mgrid[0:192, 0:256]
    picture = np.stack([x % 256, y, (x + y) % 256], 2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(-1, 2, picture.shape)
    noisy = lambda size: np.clip(picture + size * noise, 0, 255).astype(np.uint8)
    distances = [metrics.quality(picture, noisy(size), metrics.measured(True))["butteraugli"] for size in (0, 4, 20)]
    assert distances[0] == 0 and 0.1 < distances[1] < distances[2]
    assert "butteraugli" not in metrics.quality(picture, picture, metrics.measured(False))


def test_a_distance_counts_as_quality_the_other_way_round():
    """Half the rate at the same distances is -50 %; the curve is ordered by falling distance."""
    rate, distance = np.array([0.1, 0.2, 0.4, 0.8]), [6, 4, 2.5, 1.5]
    anchor, test = (Curve(n, f * rate, butteraugli=distance) for n, f in (("a", 1), ("b", 0.5)))
    assert bd_rate(test, anchor, "butteraugli")[0] == pytest.approx(-50)
    assert bd_rate(test, anchor) is None
    assert np.all(np.diff(anchor.points("butteraugli")[1]) > 0)


def test_kinds_of_pictures_have_a_table_of_their_own(tmp_path):
    """Means over each kind, at the settings that every picture of it has; one kind alone has no table."""
    program = runpy.run_path(str(Path(report.__file__).parent / "__main__.py"))
    pictures = {name: np.zeros((200, 200, 3), np.uint8) for name in ("screen1", "screen2", "animal_food1")}
    result = program["Measured"](pictures, ("psnr", "msssim"))
    for name, factor in (("screen1", 1), ("screen2", 3), ("animal_food1", 8)):
        for setting in (1, 2, 4):
            if (name, setting) != ("screen2", 4):
                decoded = np.full((200, 200, 3), 16 // setting, np.uint8)
                result.add(name, peers.Point(setting, 5000 * setting * factor, decoded))
    kinds = result.kinds()
    assert [row["setting"] for row in kinds["screen"]] == [1, 2] and len(kinds["animal_food"]) == 3
    assert kinds["screen"][0]["bpp"] == 2 and result.mean()[0]["bpp"] == 4
    meta = dict(pictures=3)
    write(tmp_path / "deepfgs.json", "DeepFGS, cut by channel", "new: cut", meta, result.mean(), kinds)
    halved = {kind: [{**row, "bpp": 2 * row["bpp"]} for row in rows] for kind, rows in kinds.items()}
    write(tmp_path / "jpeg.json", "JPEG", "made up", meta, result.mean(), halved)
    report.write_report(tmp_path, "today", None)
    text = (tmp_path / "README.md").read_text()
    assert "| animal, food | -50.0 % / -50.0 % |" in text and "| screen | -50.0 % / -50.0 % |" in text
    alone = program["Measured"]({"kodim1": pictures["screen1"], "kodim2": pictures["screen2"]}, ("psnr", "msssim"))
    assert alone.kinds() is None


def test_fewer_settings_keep_the_ends():
    spread = runpy.run_path(str(Path(report.__file__).parent / "__main__.py"))["spread"]
    assert spread((1, 2, 3, 4, 5, 6, 7), 3) == (1, 4, 7)
    assert spread((1, 2, 3), 5) == spread((1, 2, 3), None) == (1, 2, 3)
