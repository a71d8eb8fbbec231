import DeepFGS
import DeepFGSTools

/// What `inspect` says of one frame.
struct FrameSummary {
    let entry: FrameSequence.Entry
    /// Of the frame in its file, from 1.
    let number: Int

    private var header: FrameHeader { entry.header }
    private var have: Int { entry.range.count }

    /// Several lines: what the header says, a table of the chunks, where the frame is cut.
    var text: String {
        var lines = [
            "",
            "frame \(number) at byte \(entry.range.lowerBound): \(header.width)×\(header.height) pixels, "
                + "model \(header.model), version \(FrameHeader.version)",
        ]
        lines += optionalFields.map { "  \($0.text)" }
        lines.append("  part          bytes   cumulative       bpp")
        lines.append(row("header", header.length, header.length))
        for (index, end) in header.chunkEnds.enumerated() {
            lines.append(row(index == 0 ? "base" : "chunk \(index)", header.chunkLengths[index], end))
        }
        let share = 100 * Double(header.length) / Double(header.frameLength)
        lines.append("  the header is \(decimal(share, 2)) % of the whole frame")
        lines.append("  " + state)
        return lines.joined(separator: "\n")
    }

    var object: JSON {
        .object(
            [
                ("offset", .integer(entry.range.lowerBound)), ("bytes", .integer(have)),
                ("frame_bytes", .integer(header.frameLength)), ("header_bytes", .integer(header.length)),
                ("bpp", .number(header.bitsPerPixel(of: have), digits: 5)), ("cut", .bool(entry.isCut)),
                ("base", .string(baseState)), ("version", .integer(Int(FrameHeader.version))),
                ("model", .string("\(header.model)")), ("width", .integer(header.width)),
                ("height", .integer(header.height)),
            ] + optionalFields.map { ($0.key, $0.value) } + [("chunks", .array(chunks))])
    }

    private func row(_ part: String, _ bytes: Int, _ end: Int) -> String {
        let start = end - bytes
        let mark = have >= end ? "" : have > start ? "  cut after \(have - start)" : "  missing"
        let name = part + String(repeating: " ", count: max(0, 9 - part.count))
        return "  \(name)\(padded("\(bytes)", 10))\(padded("\(end)", 13))"
            + decimal(header.bitsPerPixel(of: end), 4, width: 10) + mark
    }

    private var chunks: [JSON] {
        zip(header.chunkLengths, header.chunkEnds).map { length, end in
            .object([
                ("bytes", .integer(length)), ("present", .integer(max(0, min(length, have - (end - length))))),
                ("end", .integer(end)), ("bpp", .number(header.bitsPerPixel(of: end), digits: 5)),
            ])
        }
    }

    private var baseState: String {
        switch entry.base {
        case .whole: "whole"
        case .cut: "cut"
        case .damaged: "damaged"
        }
    }

    private var state: String {
        switch entry.base {
        case .cut: return "cut inside the base: \(have) bytes of \(header.baseEnd); does not decode"
        case .damaged: return "the base is damaged (checksum mismatch); does not decode"
        case .whole where !entry.isCut: return "whole"
        case .whole:
            let chunk = header.chunkEnds.firstIndex { $0 > have } ?? 0
            let place = header.chunkEnds[chunk - 1] == have ? "before" : "inside"
            let bpp = decimal(header.bitsPerPixel(of: have), 4)
            return "cut \(place) chunk \(chunk): \(have) bytes of \(header.frameLength), \(bpp) bpp"
        }
    }

    /// The optional header fields that are there.
    private var optionalFields: [(key: String, text: String, value: JSON)] {
        let extensions = header.extensions
        var fields: [(key: String, text: String, value: JSON)] = []
        func add(_ key: String, _ text: String, _ value: JSON) { fields.append((key, text, value)) }
        if let time = extensions.presentationTime {
            add("presentation_time_ns", "shown at \(seconds(time)) s", .integer(Int(clamping: time)))
        }
        if let duration = extensions.duration {
            add("duration_ns", "for \(seconds(UInt64(duration))) s", .integer(Int(duration)))
        }
        if let orientation = extensions.orientation {
            add("orientation", "orientation \(orientation)", .integer(Int(orientation)))
        }
        if let colour = extensions.colour {
            let points = [colour.primaries, colour.transfer, colour.matrix].map(Int.init)
            let range = colour.fullRange ? "full" : "narrow"
            add(
                "colour", "colour \(points.map(String.init).joined(separator: "/")) (H.273), \(range) range",
                .object([
                    ("primaries", .integer(points[0])), ("transfer", .integer(points[1])),
                    ("matrix", .integer(points[2])), ("full_range", .bool(colour.fullRange)),
                ]))
        }
        if let quantiser = extensions.quantiser {
            let (basic, scalable) = (Int(quantiser.basic.step), Int(quantiser.scalable.step))
            add(
                "quantiser", "quantiser steps \(basic)/16 (base), \(scalable)/16 (scalable)",
                .object([("base_step", .integer(basic)), ("step", .integer(scalable))]))
        }
        return fields
    }

    private func seconds(_ nanoseconds: UInt64) -> String { decimal(Double(nanoseconds) * 1e-9, 6) }
}
