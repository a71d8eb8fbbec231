extension IntegerProgram {
    /// Appends `g_a`: a 3×3 convolution of pixels, then blocks and convolutions of stride 2.
    ///
    /// - Parameters:
    ///   - stages: The stages; the first is the convolution.
    ///   - pixels: The unshuffled picture.
    ///   - coarsestAtEnd: Rows at the coarsest resolution of what the caller appends to the last phase.
    /// - Returns: The stream of the features; the last phase is open.
    func append(
        _ stages: [IntegerLayers.Stage], from pixels: ActivationPlane, coarsestAtEnd: Int
    ) -> IntegerStream {
        let entry = stages[0].reader
        let (height, width) = (pixels.rows, pixels.columns)
        // The first blocks may be missing: the phase may already reach the next resolution.
        beginPhase(
            rows: coarsest(stages.dropFirst(), height: height, atEnd: coarsestAtEnd), bytes: 8 * width * entry.outputs)
        let stream = self.stream(height: height, width: width, room: entry.outputs)
        let input = Activations(
            place: .picture(pixels.above(row: 0), band: height / bands * pixels.layout.row), layout: pixels.layout)
        let rest = Array(stages.dropFirst())
        let activations = append(
            entry, from: input, into: stream, adds: false, for: rest.first.map { .layer($0.reader) } ?? .nobody)
        return append(rest, activations, stream, finest: height, coarsestAtEnd: coarsestAtEnd, last: .nobody)
    }

    /// Appends the feature fusion module and `g_s` up to the last convolution.
    func append(
        _ entry: IntegerLayer, _ stages: [IntegerLayers.Stage], from latents: ActivationPlane, to last: StreamReader
    ) {
        let (height, width) = (latents.rows, latents.columns)
        beginPhase(rows: height, bytes: 4 * width * entry.outputs, scale: 4)
        let stream = self.stream(height: height, width: width, room: entry.outputs)
        let input = Activations(
            place: .picture(latents.row(0), band: height / bands * latents.layout.row), layout: latents.layout)
        let activations = append(
            entry, from: input, into: stream, adds: false, for: stages.first.map { .layer($0.reader) } ?? last)
        _ = append(stages, activations, stream, finest: 4 * height, coarsestAtEnd: nil, last: last)
    }

    /// Appends stages that read a stream; returns the last stream.
    private func append(
        _ stages: [IntegerLayers.Stage], _ first: Activations?, _ start: IntegerStream, finest: Int,
        coarsestAtEnd: Int?, last: StreamReader
    ) -> IntegerStream {
        var (activations, stream) = (first, start)
        for (index, stage) in stages.enumerated() {
            guard let input = activations else { break }
            let rest = stages.dropFirst(index + 1)
            let next = rest.first.map { StreamReader.layer($0.reader) } ?? last
            switch stage {
            case .block(let block):
                activations = append(
                    block, from: input, stream, coarsest: coarsest(rest, height: stream.height, atEnd: coarsestAtEnd),
                    scale: max(1, finest / stream.height), for: next)
            case .convolution(let layer):
                stream = self.stream(height: stream.height / 2, width: stream.width / 2, room: layer.outputs)
                activations = append(layer, from: input, into: stream, adds: false, for: next)
            case .up(let layer):
                stream = self.stream(height: 2 * stream.height, width: 2 * stream.width, room: layer.outputs / 4)
                activations = append(layer, from: input, into: stream, adds: false, for: next)
            }
        }
        return stream
    }

    /// Rows at the coarsest resolution that a phase reaches which begins at `height` rows and runs up to the next block.
    private func coarsest(
        _ stages: ArraySlice<IntegerLayers.Stage>, height: Int, atEnd: Int?
    ) -> Int {
        var (rows, least) = (height, height)
        for stage in stages {
            switch stage {
            case .block: return least
            case .convolution: rows /= 2
            case .up: rows *= 2
            }
            least = min(least, rows)
        }
        return min(least, atEnd ?? least)
    }
}
