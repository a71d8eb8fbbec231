import COneDNN

/// What the primitives of one network share: for each worker a stream and a scratchpad.
///
/// Primitives run on one thread each: the workers are ours (`WorkerPool`), because a team of OpenMP threads waits for its
/// slowest at the end of every layer, and a busy machine always has a slow one.
final class OneDNNContext {
    let engine: OneDNNEngine
    let workers: Int
    private var streams: [dnnl_stream_t] = []
    /// Working memory of whichever primitive runs; grows while primitives are made, never while they run.
    private var scratchpads: [RawBuffer]

    init(workers: Int) throws(CodecError) {
        engine = try OneDNNEngine.shared()
        self.workers = workers
        scratchpads = (0..<workers).map { _ in RawBuffer(count: 0) }
        for _ in 0..<workers { streams.append(try engine.stream()) }
    }

    deinit { for stream in streams { dnnl_stream_destroy(stream) } }

    func stream(worker: Int) throws(CodecError) -> dnnl_stream_t {
        guard streams.indices.contains(worker) else { throw .backend(operation: "a worker's stream", status: 0) }
        return streams[worker]
    }

    func scratchpad(worker: Int) -> UnsafeMutableRawPointer { scratchpads[worker].start }

    /// Makes every scratchpad at least `size` bytes.
    func reserve(_ size: Int) {
        for worker in scratchpads.indices where size > scratchpads[worker].count {
            scratchpads[worker] = RawBuffer(count: size)
        }
    }
}
