/// A colour of sRGB.
struct RGB: Equatable {
  var red, green, blue: UInt8

  /// The colour of OKLab's lightness (0 to 1), chroma and hue in degrees (Ottosson 2020, "A perceptual color space for
  /// image processing"); what sRGB lacks is cut to its nearest channel.
  init(lightness: Double, chroma: Double, hue: Double) {
    let channels = RGB.linear(lightness: lightness, chroma: chroma, hue: hue).map { linear in
      let x = min(max(linear, 0), 1)
      return UInt8((255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * power(x, 1 / 2.4) - 0.055)).rounded())
    }
    (red, green, blue) = (channels[0], channels[1], channels[2])
  }

  init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// Red, green and blue in proportion to light; outside 0 to 1 where sRGB lacks the colour.
  static func linear(lightness: Double, chroma: Double, hue: Double) -> [Double] {
    let (a, b) = (chroma * cosine(hue * .pi / 180), chroma * sine(hue * .pi / 180))
    func cube(_ x: Double) -> Double { x * x * x }
    let long = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
    let medium = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
    let short = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
    return [
      4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
      -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
      -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]
  }

  /// As CSS and SVG write it.
  var hex: String {
    "#"
      + [red, green, blue].map { channel in
        let digits = String(channel, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }

  /// Relative luminance of WCAG 2.
  var luminance: Double {
    func linear(_ channel: UInt8) -> Double {
      let x = Double(channel) / 255
      return x <= 0.04045 ? x / 12.92 : power((x + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// Whether white text is read more easily on the colour than black. At the bound white has a contrast of 3.9 by
  /// WCAG's formula, which is known to favour black on saturated colours.
  var takesWhiteText: Bool { luminance < 0.22 }

  /// The nearest colour of the 6 × 6 × 6 cube of terminals with 256 colours.
  var terminalCube: Int {
    func level(_ channel: UInt8) -> Int {
      let levels = [0, 95, 135, 175, 215, 255]
      return levels.indices.min { abs(levels[$0] - Int(channel)) < abs(levels[$1] - Int(channel)) }!
    }
    return 16 + 36 * level(red) + 6 * level(green) + level(blue)
  }
}
