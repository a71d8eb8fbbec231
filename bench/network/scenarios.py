"""The scenarios: those of RFC 8867, with its numbers, and our own."""
from dataclasses import dataclass, field


@dataclass
class Flow:
    """One sender and its receiver; times in seconds of the scenario."""
    end: float
    start: float = 0.0
    direction: str = "forward"
    kind: str = "deepfgs"
    clip: str = ""
    # Repair packets that the payloader makes, in percent of the base's packets.
    protection: int = 0
    pauses: list = field(default_factory=list)


@dataclass
class Scenario:
    """A path over time, and what runs on it. Capacities in Mbit/s, each from a time on."""
    name: str
    title: str
    seconds: float
    forward: list
    flows: list
    backward: list = field(default_factory=lambda: [(0, 100)])
    tcp: tuple = ()
    delay: int = 50
    loss: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    # Spans in which the flows are compared: after each has had time to converge.
    fair: list = field(default_factory=list)

    def capacity(self, time, direction="forward"):
        """Bit/s at a time."""
        steps = self.forward if direction == "forward" else self.backward
        return 1e6 * [rate for start, rate in steps if start <= max(0, time)][-1]


def _one(seconds, **options):
    return [Flow(seconds, **options)]


VARIABLE = [(0, 1), (40, 2.5), (60, 0.6), (80, 1)]
FALL_TO_A_FIFTH = [(0, 2.5), (20, 0.5), (25, 2.5)]
FALL = [(0, 2.5), (15, 0.6), (35, 2.5)]


def everything():
    """All scenarios, in the order of the report."""
    listed = [
        Scenario("5.1", "one flow, capacity changes", 100, VARIABLE, _one(100)),
        Scenario("5.1-protected", "5.1, base protected", 100, VARIABLE, _one(100, protection=200)),
        Scenario("5.1-delay-100", "5.1, 100 ms each way, base protected", 100, VARIABLE, _one(100, protection=200), delay=100),
        Scenario("5.2", "two flows, capacity changes", 125, [(0, 4), (25, 2), (50, 3.5), (75, 1), (100, 2)], [Flow(125), Flow(125, 0.013)],
                 fair=[(15, 25), (40, 50), (65, 75), (90, 100), (115, 125)]),
        Scenario("5.3", "a flow each way, feedback passes a full queue", 100, [(0, 2), (20, 1), (40, 0.5), (60, 2)],
                 [Flow(100), Flow(100, direction="backward")], backward=[(0, 2), (35, 0.8), (70, 2)]),
        Scenario("5.4", "three flows, one after another", 120, [(0, 3.5)], [Flow(120), Flow(120, 20.013), Flow(120, 40.027)],
                 fair=[(30, 40), (60, 120)]),
        Scenario("5.4-in-step", "5.4, all frames at the same moments", 120, [(0, 3.5)], [Flow(120), Flow(120, 20), Flow(120, 40)],
                 fair=[(30, 40), (60, 120)]),
        Scenario("5.6", "beside one long TCP flow", 100, [(0, 2)], _one(100), tcp=(10, 70)),
        Scenario("5.8", "one of three flows pauses", 100, [(0, 3.5)], [Flow(100, pauses=[(40, 60)]), Flow(100, 0.013), Flow(100, 0.027)],
                 fair=[(25, 40), (75, 100)]),
        Scenario("fall", "a fall to a fifth for 5 s", 45, FALL_TO_A_FIFTH, _one(45)),
        Scenario("fall-protected", "the same fall, base protected", 45, FALL_TO_A_FIFTH, _one(45, protection=200)),
    ]
    for percent in (0, 1, 5, 10, 20, 30):
        listed.append(Scenario(f"loss-{percent}", f"{percent} % random loss, base protected", 40, [(0, 2)], _one(40, protection=400),
                               loss=percent / 100))
    for percent in (10, 30):
        listed.append(Scenario(f"loss-{percent}-bare", f"{percent} % random loss, no protection", 40, [(0, 2)], _one(40),
                               loss=percent / 100))
    listed += [
        Scenario("reordering", "5 % of packets late by 5 to 15 ms", 40, [(0, 2)], _one(40), reordered=0.05),
        Scenario("duplicates", "2 % of packets twice", 40, [(0, 2)], _one(40), duplicates=0.02),
        Scenario("small-source", "a source smaller than the path, then a fall", 80, [(0, 4), (60, 0.6)], _one(80, clip="small")),
        Scenario("idle", "a source that pauses and comes back", 60, [(0, 2)], _one(60, pauses=[(20, 40)])),
        Scenario("peers-deepfgs", "the path falls: DeepFGS, adaptive", 55, FALL, _one(55)),
        Scenario("peers-mjpeg", "the path falls: MJPEG, fixed", 55, FALL, _one(55, kind="mjpeg")),
        Scenario("peers-jpeg2000", "the path falls: JPEG 2000, fixed", 55, FALL, _one(55, kind="jpeg2000")),
    ]
    return listed


SHORT = Scenario("short", "one flow, the path falls and rises", 16, [(0, 2), (6, 0.7), (11, 2)], _one(16))
