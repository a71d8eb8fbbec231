import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// What strangers and mistakes may cost.
@Suite(.serialized) struct GuardTests {
    /// Decoding takes memory by what a header says: beyond the limit there is no preview, and the reason is told.
    @Test func aPreviewHasALimitOfPixels() throws {
        let daemon = try DaemonProcess("  a: {send: {\(testSource)}}", api: ", preview-max-pixels: 4000")
        try daemon.waitFor("a", "running")
        let answer = try daemon.http("GET", "/v1/streams/a/preview")
        #expect(answer.status == 503 && answer.text.contains("64x64 pixels, more than preview-max-pixels 4000"))
        let other = try DaemonProcess("  a: {send: {\(testSource)}}", api: ", preview-max-pixels: 4096")
        try other.waitFor("a", "running")
        #expect(try other.http("GET", "/v1/streams/a/preview").status == 200)
    }
}
