"""What runs in the network: pipelines of senders and receivers, and the forwarders that add delay, loss and disorder."""
import json
import os
import sys

from topology import HOSTS, ROUTER

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FRAME_RATE = 25
TWCC = "extmap-3=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
# Ethernet, IPv4, UDP: what the queue counts.
OVERHEAD = 42
MINIMUM, MAXIMUM = 150_000, 6_000_000
# What 5 % of which the receiver's feedback may take.
SESSION_BANDWIDTH = 4_000_000
SIDES = {"forward": ("left", "right"), "backward": ("right", "left")}
FORMATS = {"deepfgs": ("X-DEEPFGS", 96), "mjpeg": ("JPEG", 26), "jpeg2000": ("JPEG2000", 96)}


def environment():
    """The environment of pipelines: the plugin that `make plugin` built."""
    return dict(os.environ, GST_PLUGIN_PATH=f"{ROOT}/.build-plugin/release", GST_REGISTRY=f"{ROOT}/.build-plugin/registry-network.bin",
                DEEPFGS_MODEL_PATH=f"{ROOT}/models")


def ports(index):
    """Ports of a flow: media, the sender's reports, the receiver's feedback."""
    return 5000 + 10 * index, 5001 + 10 * index, 5005 + 10 * index


def sending(flow, index, clip):
    """The sender's pipeline, as for gst-launch."""
    media, reports, feedback = ports(index)
    router = ROUTER[SIDES[flow.direction][0]]
    sources = {
        "deepfgs": f"filesrc location={clip} ! deepfgsparse framerate={FRAME_RATE}/1 ! identity sync=true ! valve name=camera "
                   f"! rtpdeepfgspay base-protection={flow.protection} "
                   f"! application/x-rtp,{TWCC} ! deepfgsadapt name=adapt mode=auto min-bitrate={MINIMUM} max-bitrate={MAXIMUM} "
                   f"packet-overhead={OVERHEAD}",
        "mjpeg": f"appsrc name=pictures format=time caps=image/jpeg,framerate={FRAME_RATE}/1 ! jpegparse ! identity sync=true "
                 "! rtpjpegpay mtu=1200",
        "jpeg2000": f"appsrc name=pictures format=time caps=image/x-j2c,framerate={FRAME_RATE}/1 ! jpeg2000parse ! image/x-jpc "
                    "! identity sync=true ! rtpj2kpay mtu=1200",
    }
    return (f"rtpbin name=rtp rtp-profile=avpf {sources[flow.kind]} ! rtp.send_rtp_sink_0 "
            f"rtp.send_rtp_src_0 ! udpsink host={router} port={media} sync=false async=false "
            f"rtp.send_rtcp_src_0 ! udpsink host={router} port={reports} sync=false async=false "
            f"udpsrc port={feedback} ! rtp.recv_rtcp_sink_0")


def receiving(flow, index):
    """The receiver's pipeline, as for gst-launch."""
    media, reports, feedback = ports(index)
    router = ROUTER[SIDES[flow.direction][1]]
    name, number = FORMATS[flow.kind]
    more = ",sampling=(string)RGB" if flow.kind == "jpeg2000" else ""
    caps = f"application/x-rtp,media=video,clock-rate=90000,encoding-name={name},payload={number},{TWCC}{more}"
    ends = {"deepfgs": "rtpdeepfgsdepay frame-messages=true ! fakesink sync=false async=false",
            "mjpeg": "rtpjpegdepay ! appsink name=sink sync=false async=false",
            "jpeg2000": "rtpj2kdepay ! appsink name=sink sync=false async=false"}
    # Without the bandwidth rtpsession takes 64 kbit/s until it has measured, and feedback comes in bunches for some seconds.
    return (f"rtpbin name=rtp rtp-profile=avpf latency=200 rtpsession0::bandwidth={SESSION_BANDWIDTH} "
            f"udpsrc port={media} buffer-size=4000000 caps=\"{caps}\" ! rtp.recv_rtp_sink_0 rtp. ! {ends[flow.kind]} "
            f"udpsrc port={reports} ! rtp.recv_rtcp_sink_0 "
            f"rtp.send_rtcp_src_0 ! udpsink host={router} port={feedback} sync=false async=false")


def netsim(scenario, is_media):
    """The elements that a packet passes on its way through the router: constant delay, then what else the path does."""
    delay = f"netsim min-delay={scenario.delay} max-delay={scenario.delay} delay-probability=1 allow-reordering=false"
    if not is_media:
        return delay
    delay = f"netsim drop-probability={scenario.loss} duplicate-probability={scenario.duplicates} ! {delay}"
    if scenario.reordered:
        delay += f" ! netsim delay-probability={scenario.reordered} min-delay=5 max-delay=15 allow-reordering=true"
    return delay


def forwarding(scenario, feedback):
    """The router's pipeline for media and sender reports, or the one for feedback."""
    lines = []
    for index, flow in enumerate(scenario.flows):
        sender, receiver = SIDES[flow.direction]
        media, reports, back = ports(index)
        if feedback:
            ways = [(receiver, sender, back, False)]
        else:
            ways = [(sender, receiver, media, True), (sender, receiver, reports, False)]
        for come, go, port, is_media in ways:
            lines.append(f"udpsrc address={ROUTER[come]} port={port} buffer-size=4000000 ! {netsim(scenario, is_media)} "
                         f"! udpsink host={HOSTS[go]} port={port} sync=false async=false")
    return ["gst-launch-1.0", "-q", *" ".join(lines).split()]


def start(network, scenario, clips, folder, begin):
    """Starts forwarders, receivers and senders; senders play from `begin` (steady clock) and end by themselves."""
    def python(place, script, order, log):
        return network.start(place, [sys.executable, os.path.join(HERE, script), json.dumps(order)], realtime=True, env=environment(),
                             stdout=open(log, "w"), stderr=-2)

    for feedback in (False, True):
        log = open(f"{folder}/forwarder-{'feedback' if feedback else 'media'}.log", "w")
        network.start("path", forwarding(scenario, feedback), realtime=True, env=environment(), stdout=log, stderr=-2)
    for index, flow in enumerate(scenario.flows):
        keep = None
        if flow.kind != "deepfgs":
            keep = f"{folder}/kept-{index}"
            os.makedirs(keep)
        python(SIDES[flow.direction][1], "receiver.py",
               {"launch": receiving(flow, index), "frames": f"{folder}/frames-{index}.csv", "keep": keep}, f"{folder}/receiver-{index}.log")
    senders = []
    for index, flow in enumerate(scenario.flows):
        order = {"launch": sending(flow, index, clips[flow.clip or flow.kind]), "start": begin + flow.start, "seconds": flow.end - flow.start,
                 "pauses": [[a - flow.start, b - flow.start] for a, b in flow.pauses], "stats": f"{folder}/stats-{index}.csv",
                 "pictures": clips[flow.kind]}
        senders.append(python(SIDES[flow.direction][0], "sender.py", order, f"{folder}/sender-{index}.log"))
    return senders
