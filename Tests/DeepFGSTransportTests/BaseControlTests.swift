import Testing

@testable import DeepFGSTransport

/// How an encoder makes bases that fit.
@Suite struct BaseControlTests {
    private static let limits = BaseControl.Limits(step: 16, coarsest: 32, longestGap: 1_000_000_000)
    private static let interval: Int64 = 66_666_667

    /// Encodes frames at 15 a second; bases of 2700 bytes at a step of 16 go with the step to the power of −0.6.
    private static func run(
        _ control: inout BaseControl, frames: Range<Int64>, limits: BaseControl.Limits = limits, ask: BaseRequest? = nil
    ) -> [(frame: Int64, step: Int, bytes: Int)] {
        var encoded: [(frame: Int64, step: Int, bytes: Int)] = []
        for frame in frames {
            let now = frame * interval
            if let ask { control.take(ask, from: 1, at: now) }
            guard let step = control.admit(time: now, interval: interval, limits: limits, at: now) else { continue }
            let base = step == 16 ? 2700 : step >= 32 ? 1790 : 2700 - (step - 16) * 57
            control.note(base: base, at: now)
            encoded.append(
                (frame, step, BaseRequest(bitrate: 1, packetOverhead: 60, packetBytes: 1140).wireBytes(base)))
        }
        return encoded
    }

    private static func request(_ bitrate: Double) -> BaseRequest {
        BaseRequest(bitrate: bitrate, packetOverhead: 60, packetBytes: 1140)
    }

    @Test("Nobody asks: every frame, the user's step")
    func nobody() {
        var control = BaseControl()
        #expect(Self.run(&control, frames: 0..<30).allSatisfy { $0.step == 16 })
    }

    @Test(
        "What is encoded keeps to what is asked for and uses it, evenly",
        arguments: [30e3, 60e3, 80e3, 120e3, 160e3, 200e3, 240e3, 300e3, 340e3])
    func keeps(bitrate: Double) {
        var control = BaseControl()
        _ = Self.run(&control, frames: 0..<30, ask: Self.request(bitrate))
        let encoded = Self.run(&control, frames: 30..<930, ask: Self.request(bitrate))
        let rate = Double(encoded.reduce(0) { $0 + $1.bytes }) * 8 / 60
        #expect(rate <= 1.02 * bitrate, "\(rate)")
        // The last sixteenth of a step, or a frame in a minute, may be left over.
        #expect(rate >= 0.85 * bitrate, "\(rate)")
        if encoded.count < 890 { #expect(encoded.allSatisfy { $0.step == 32 }) }
        let gaps = zip(encoded, encoded.dropFirst()).map { $1.frame - $0.frame }
        #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1, "\(gaps)")
    }

    @Test("A request that is not repeated is forgotten after three seconds")
    func forgets() {
        var control = BaseControl()
        control.take(Self.request(50_000), from: 9, at: 0)
        #expect(Self.run(&control, frames: 0..<45).count < 20)
        #expect(Self.run(&control, frames: 46..<60).count == 14)
    }

    @Test("No request, however small, leaves more than a second between two frames")
    func least() {
        var control = BaseControl()
        let encoded = Self.run(&control, frames: 0..<150, ask: Self.request(1))
        #expect((10...12).contains(encoded.count), "\(encoded.count)")
    }

    @Test("Whatever is asked, of whatever clock, nothing overflows", arguments: 0..<20)
    func total(seed: UInt64) {
        var random = TestRandom(seed: seed + 1)
        var control = BaseControl()
        let odd: [Double] = [0, -1, .nan, .infinity, 1e300, 1, 1e5]
        for _ in 0..<2000 {
            let bitrate = odd[Int(random.uniform(0, 6.99))]
            let request = BaseRequest(
                bitrate: bitrate, packetOverhead: Int(random.uniform(-1e9, 1e9)),
                packetBytes: Int(random.uniform(-1e9, 1e9)))
            let now = Int64(random.uniform(-9e18, 9e18))
            control.take(random.uniform() < 0.2 ? nil : request, from: UInt64(random.uniform(0, 1e4)), at: now)
            let limits = BaseControl.Limits(
                step: Int(random.uniform(1, 32)), coarsest: Int(random.uniform(1, 32)),
                longestGap: Int64(random.uniform(0, 9e18)))
            let step = control.admit(
                time: Int64(random.uniform(-9e18, 9e18)), interval: Int64(random.uniform(-9e18, 9e18)), limits: limits,
                at: now)
            if let step {
                #expect((limits.step...limits.coarsest).contains(step))
                control.note(base: Int(random.uniform(0, 1e9)), at: now)
            }
        }
    }
}
