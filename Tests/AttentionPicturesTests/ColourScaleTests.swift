import Testing

@testable import AttentionPictures

@Suite struct ColourScaleTests {
  /// Every colour of both scales exists in sRGB: none is cut, so lightness is what the formula says.
  @Test func withinGamut() {
    for scale in ColourScale.allCases {
      for step in 0...1000 {
        let point = scale.coordinates(Double(step) / 1000)
        for channel in RGB.linear(lightness: point.lightness, chroma: point.chroma, hue: point.hue) {
          #expect(-1e-3...1 + 1e-3 ~= channel, "\(scale) at \(step)/1000: \(channel)")
        }
      }
    }
  }

  /// Stronger is darker on light paper and brighter on dark, step by step, so order survives without colour.
  @Test func order() {
    for (scale, sign) in [(ColourScale.onLight, -1.0), (.onDark, 1)] {
      let luminances = (0...32).map { scale[Double($0) / 32].luminance }
      for (weak, strong) in zip(luminances, luminances.dropFirst()) { #expect(sign * (strong - weak) > 0, "\(scale)") }
      #expect(max(luminances[0], luminances[32]) > 0.85 && min(luminances[0], luminances[32]) < 0.04)
    }
  }

  /// Known points of OKLab: white, and sRGB red at L = 0.62796, C = 0.25768, h = 29.23°.
  @Test func knownColours() {
    #expect(RGB(lightness: 1, chroma: 0, hue: 0) == RGB(255, 255, 255))
    #expect(RGB(lightness: 0, chroma: 0, hue: 0) == RGB(0, 0, 0))
    let red = RGB(lightness: 0.62796, chroma: 0.25768, hue: 29.2339)
    #expect(red.red == 255 && red.green <= 1 && red.blue <= 1)
    #expect(RGB(255, 0, 10).hex == "#ff000a")
    #expect(abs(RGB(255, 255, 255).luminance - 1) < 1e-9)
  }

  /// Text in a cell has a contrast of at least 3.8 (WCAG asks 3 of large text, 4.5 of small).
  @Test func textContrast() {
    for scale in ColourScale.allCases {
      for step in 0...256 {
        let colour = scale[Double(step) / 256]
        let contrast = colour.takesWhiteText ? 1.05 / (colour.luminance + 0.05) : (colour.luminance + 0.05) / 0.05
        #expect(contrast >= 3.8, "\(scale) at \(step)/256")
      }
    }
  }

  @Test func terminalCube() {
    #expect(RGB(0, 0, 0).terminalCube == 16)
    #expect(RGB(255, 255, 255).terminalCube == 231)
    #expect(RGB(255, 0, 0).terminalCube == 196)
    #expect(RGB(100, 130, 180).terminalCube == 16 + 36 + 12 + 3)
  }
}
