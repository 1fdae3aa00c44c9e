"""How the native engine's cost grows with the training size, the image's side and the network's width."""

from bench import harness

CASES = {
    "training images": ("n", [10, 20, 50, 100, 200]),
    "pixels per side": ("side", [64, 128, 257, 400]),
    "filters, times the published": ("widen", [1, 2, 4]),
}


def main() -> None:
    """Measure each case once."""
    harness.options(__doc__ or "", "python -m bench.growth")
    rows = []
    for title, (option, values) in CASES.items():
        for value in values:
            found = harness.ask("bench.contenders", "native", f"--{option}", str(value), "--epochs", "5")
            steps = (value if option == "n" else 200) / 5
            rows.append([title, value, f"{found['training']:.2f}", f"{found['cpu'] * steps:.1f}"])
    harness.write(
        "growth",
        "Scaling of the cost",
        "CPU time of the native engine; n = 200, 257 pixels and the published filters except as stated in the row "
        "(four blocks at 64 and 128 pixels, which are too small for six). An epoch includes the validation on 25 "
        "images.\n\n" + harness.table(["what varies", "", "ms per step", "ms per epoch"], rows),
    )


if __name__ == "__main__":
    main()
