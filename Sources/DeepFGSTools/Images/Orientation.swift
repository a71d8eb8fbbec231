import DeepFGS

extension Picture {
    /// The picture as it is to be seen, given an orientation of 1 to 8 as in TIFF; anything else leaves it as it is.
    public func turned(by orientation: Int) -> Picture {
        guard (2...8).contains(orientation) else { return self }
        let swapped = orientation >= 5
        let fromRight = [2, 3, 7, 8].contains(orientation)
        let fromBottom = [3, 4, 6, 7].contains(orientation)
        var result = Picture(width: swapped ? height : width, height: swapped ? width : height)
        for y in 0..<result.height {
            for x in 0..<result.width {
                let (column, row) = swapped ? (y, x) : (x, y)
                let source =
                    3 * ((fromBottom ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column))
                let target = 3 * (y * result.width + x)
                for colour in 0..<3 { result.pixels[target + colour] = pixels[source + colour] }
            }
        }
        return result
    }
}
