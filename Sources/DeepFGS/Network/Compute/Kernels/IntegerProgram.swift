import CKernels

/// Where a step reads or writes: a buffer of the whole picture, or the memory of the worker that runs it.
struct Place {
    /// nil for the worker's memory.
    private let start: UnsafeMutableRawPointer?
    private let offset: Int
    /// Bytes from band to band.
    private let band: Int

    /// A buffer of the whole picture, a band of which is `band` bytes.
    static func picture(_ start: UnsafeMutableRawPointer, band: Int) -> Place {
        Place(start: start, offset: 0, band: band)
    }

    /// So many bytes into the worker's memory.
    static func scratch(_ offset: Int) -> Place { Place(start: nil, offset: offset, band: 0) }

    @inline(__always)
    func resolved(_ index: Int, _ scratch: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        (start ?? scratch) + (offset + index * band)
    }
}

/// Layers over bands of rows, in phases.
///
/// Inside a phase each band runs through all steps on one worker, while its activations are in that worker's cache; a
/// phase ends where a 3×3 kernel needs rows of the neighbours. Everything is laid out when the program is built: a run
/// allocates nothing.
final class IntegerProgram {
    enum Step {
        case convolution(DeepFGSConvolution, input: Place, stream: Place?, output: Place?)
        case depthwise(DeepFGSDepthwise, input: Place, output: Place)
        /// Activations of `positions` positions of a stream for a layer.
        case enter(IntegerLayer, stream: Place, room: Int, positions: Int, output: Place, outputPosition: Int)
        /// Anything else, over one band.
        case body((_ band: Int, _ worker: Int, _ scratch: UnsafeMutableRawPointer) -> Void)
    }

    private struct Phase {
        let bands: Int
        /// Rows of the finest resolution in a row of what the phase reads from its neighbours.
        let scale: Int
        var steps: [Step] = []
        /// Bands that somebody looks at: the first ones.
        var needed: Int
    }

    let kernels: Kernels
    private let workers: Workers
    private var phases: [Phase] = []
    /// What the steps point into.
    private var kept: [AnyObject] = []
    private var scratchSize = 0, scratchUsed = 0
    private var scratch: [RawBuffer] = []

    init(kernels: Kernels, workers: Workers) {
        self.kernels = kernels
        self.workers = workers
    }

    /// Bands of the phase at hand.
    var bands: Int { phases.last?.bands ?? 1 }

    /// Begins a phase.
    ///
    /// - Parameters:
    ///   - rows: Rows at the coarsest resolution in the phase: the largest number of bands.
    ///   - bytes: Memory that one such row needs, all steps together.
    ///   - scale: Rows of the finest resolution in a row of what the phase reads from its neighbours.
    func beginPhase(rows: Int, bytes: Int, scale: Int = 1) {
        var bands = rows
        // Fewer, larger bands while they fit the cache and there are enough for all workers.
        while bands % 2 == 0, bands > 4 * workers.width, 2 * (rows / bands) * bytes <= Self.cacheShare { bands /= 2 }
        phases.append(Phase(bands: bands, scale: scale, needed: bands))
        scratchUsed = 0
    }

    /// A band's memory is kept below this, bytes: it shares a second-level cache with weights.
    private static let cacheShare = 512 << 10

    /// Leaves out the bands that only rows from `limit` on depend on.
    ///
    /// - Parameters:
    ///   - limit: Rows of the finest resolution that are looked at.
    ///   - height: Rows of the finest resolution.
    func restrict(to limit: Int, of height: Int) {
        var rows = limit
        for index in phases.indices.reversed() {
            let band = height / phases[index].bands
            phases[index].needed = min((rows + band - 1) / band, phases[index].bands)
            // A 3×3 kernel at the phase's start reads one row more.
            rows = roundUp(rows, to: phases[index].scale) + phases[index].scale
        }
    }

    func append(_ step: Step) { phases[phases.count - 1].steps.append(step) }

    /// Keeps what the steps point into.
    func keep(_ object: AnyObject) { kept.append(object) }

    /// Memory of a worker for one band of the phase at hand.
    func takeScratch(_ bytes: Int) -> Place {
        let place = Place.scratch(scratchUsed)
        // Kernels read whole vectors: a little beyond the last position.
        scratchUsed += roundUp(bytes + 64, to: 64)
        scratchSize = max(scratchSize, scratchUsed)
        return place
    }

    /// Runs all phases.
    func run() throws(CodecError) {
        while scratch.count < workers.width { scratch.append(RawBuffer(count: scratchSize)) }
        for index in phases.indices {
            try workers.run(phases[index].needed, with: (self, index)) { context, band, worker in
                let (program, index) = context
                let memory = program.scratch[worker].start
                for step in program.phases[index].steps { program.run(step, band, worker, memory) }
            }
        }
    }

    private func run(_ step: Step, _ band: Int, _ worker: Int, _ memory: UnsafeMutableRawPointer) {
        switch step {
        case .convolution(var convolution, let input, let stream, let output):
            convolution.input = UnsafeRawPointer(input.resolved(band, memory))
            convolution.stream = stream?.resolved(band, memory).assumingMemoryBound(to: Int16.self)
            convolution.output = output?.resolved(band, memory)
            kernels.table.convolve(&convolution)
        case .depthwise(var depthwise, let input, let output):
            depthwise.input = UnsafeRawPointer(input.resolved(band, memory))
            depthwise.output = output.resolved(band, memory)
            kernels.table.depthwise(&depthwise)
        case .enter(let layer, let stream, let room, let positions, let output, let outputPosition):
            kernels.table.enter(
                UnsafePointer(stream.resolved(band, memory).assumingMemoryBound(to: Int16.self)), 2 * room,
                layer.enter.start, Int32(room), Int32(positions), Int32(kernels.offset),
                output.resolved(band, memory), outputPosition)
        case .body(let body): body(band, worker, memory)
        }
    }
}
