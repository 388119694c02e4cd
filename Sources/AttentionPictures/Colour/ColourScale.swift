/// Colours from a weak to a strong weight. Lightness in OKLab is linear in the weight, so equal steps look equal, with
/// or without colour vision and in grey print; the hue turns meanwhile to part neighbours further.
enum ColourScale: CaseIterable {
  /// Weak is near white, strong dark blue.
  case onLight
  /// Weak is near black, strong light yellow.
  case onDark

  /// The colour at a fraction from 0 to 1.
  subscript(fraction: Double) -> RGB {
    let point = coordinates(fraction)
    return RGB(lightness: point.lightness, chroma: point.chroma, hue: point.hue)
  }

  /// The chroma stays within what sRGB has at each lightness and hue.
  func coordinates(_ t: Double) -> (lightness: Double, chroma: Double, hue: Double) {
    switch self {
    case .onLight: (0.98 - 0.68 * t, 0.012 + 0.115 * sine(.pi / 2 * t), 200 + 75 * t)
    case .onDark: (0.24 + 0.71 * t, 0.075 + 0.03 * t, 275 - 170 * t)
    }
  }
}
