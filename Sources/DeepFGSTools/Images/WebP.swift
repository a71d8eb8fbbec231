import CImageFormats
import DeepFGS

func decodeWebP(_ bytes: [UInt8], fail: FailureMaker, check: SizeCheck) throws(Failure) -> LoadedPicture {
    var features = WebPBitstreamFeatures()
    let status = WebPGetFeatures(bytes, bytes.count, &features)
    guard status == VP8_STATUS_OK else {
        throw fail(status == VP8_STATUS_NOT_ENOUGH_DATA ? "the file ends inside its header" : "damaged header")
    }
    let width = Int(features.width)
    let height = Int(features.height)
    try check(width, height)
    guard features.has_animation == 0 else { throw fail("animations are not supported") }

    var rgba = [UInt8](repeating: 0, count: 4 * width * height)
    guard WebPDecodeRGBAInto(bytes, bytes.count, &rgba, rgba.count, Int32(4 * width)) != nil else {
        throw fail("damaged or cut short")
    }
    var picture = Picture(width: width, height: height)
    for pixel in 0..<(width * height) {
        let alpha = Int(rgba[4 * pixel + 3])
        for colour in 0..<3 {
            let sample = Int(rgba[4 * pixel + colour])
            picture.pixels[3 * pixel + colour] = UInt8((sample * alpha + 255 * (255 - alpha) + 127) / 255)
        }
    }
    return LoadedPicture(picture: picture, warnings: [])
}
