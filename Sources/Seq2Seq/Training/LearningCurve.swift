import Foundation

/// Training and validation loss over the epochs, as a picture.
///
/// ```swift
/// let svg = LearningCurve(trainer.history).svg
/// ```
public struct LearningCurve: Sendable, Equatable {
  /// The epochs.
  public var history: [EpochRecord]

  /// The curve of the epochs.
  public init(_ history: [EpochRecord]) { self.history = history }

  private static let (width, height) = (640.0, 400.0)
  private static let (left, right, top, bottom) = (60.0, 20.0, 40.0, 50.0)

  /// An SVG of 640 × 400: the losses per target token in nats, with a circle on the best epoch.
  public var svg: String {
    let training = history.map { (Double($0.epoch), $0.trainingLoss) }
    let validation = history.compactMap { record in record.validationLoss.map { (Double(record.epoch), $0) } }
    let losses = (training + validation).map(\.1)
    let step = Self.step(over: (losses.max() ?? 1) - (losses.min() ?? 0), ticks: 6)
    let low = ((losses.min() ?? 0) / step).rounded(.down) * step
    let high = max(((losses.max() ?? 1) / step).rounded(.up) * step, low + step)
    let epochs = Double(max(history.last?.epoch ?? 1, 2))
    func point(_ epoch: Double, _ loss: Double) -> (x: Double, y: Double) {
      (
        Self.left + (epoch - 1) / (epochs - 1) * (Self.width - Self.left - Self.right),
        Self.top + (high - loss) / (high - low) * (Self.height - Self.top - Self.bottom)
      )
    }
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" width="640" height="400" \
      font-family="sans-serif" font-size="12">
      """, "<title>Learning curve</title>", #"<rect width="640" height="400" fill="white"/>"#,
    ]
    for index in 0...Int(((high - low) / step).rounded()) {
      let loss = low + Double(index) * step
      let y = point(1, loss).y
      parts.append(line(Self.left, y, Self.width - Self.right, y, "#ddd"))
      parts.append(text(Self.left - 8, y + 4, Self.label(loss, step), "end"))
    }
    let epochStep = max(1, Self.step(over: epochs - 1, ticks: 12))
    for epoch in stride(from: epochStep == 1 ? 1 : epochStep, through: epochs, by: epochStep) {
      let x = point(epoch, low).x
      parts.append(line(x, Self.height - Self.bottom, x, Self.height - Self.bottom + 5, "#444"))
      parts.append(text(x, Self.height - Self.bottom + 20, Self.label(epoch, 1), "middle"))
    }
    let base = Self.height - Self.bottom
    parts.append(line(Self.left, base, Self.width - Self.right, base, "#444"))
    parts.append(line(Self.left, Self.top, Self.left, base, "#444"))
    parts.append(text((Self.left + Self.width - Self.right) / 2, Self.height - 12, "epoch", "middle"))
    parts.append(text(Self.left, 18, "loss per target token, nats", "start"))
    for (name, colour, values, x) in [
      ("training", "#1f6fb4", training, 420.0), ("validation", "#c4500c", validation, 520.0),
    ] where !values.isEmpty {
      let points = values.map { point($0.0, $0.1) }
      let list = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
      parts.append(#"<polyline points="\#(list)" fill="none" stroke="\#(colour)" stroke-width="2"/>"#)
      for point in points { parts.append(circle(point, 2.5, colour, fill: colour)) }
      parts.append(line(x - 24, 14, x - 4, 14, colour))
      parts.append(text(x, 18, name, "start"))
    }
    if let best = validation.min(by: { $0.1 < $1.1 }) {
      parts.append(circle(point(best.0, best.1), 6, "#c4500c", fill: "none"))
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    let places = [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)].map { "\($0)=\"\(Self.number($1))\"" }
    return "<line \(places.joined(separator: " ")) stroke=\"\(colour)\"/>"
  }

  private func text(_ x: Double, _ y: Double, _ words: String, _ anchor: String) -> String {
    "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor)\">\(words)</text>"
  }

  private func circle(_ centre: (x: Double, y: Double), _ radius: Double, _ stroke: String, fill: String) -> String {
    "<circle cx=\"\(Self.number(centre.x))\" cy=\"\(Self.number(centre.y))\" r=\"\(radius)\" stroke=\"\(stroke)\" "
      + "fill=\"\(fill)\"/>"
  }

  private static func number(_ x: Double) -> String { String(format: "%.1f", x) }

  private static func label(_ x: Double, _ step: Double) -> String {
    String(format: "%.\(max(0, -Int(log10(step).rounded(.down))))f", x)
  }

  /// 1, 2 or 5 times a power of ten that makes about so many ticks.
  private static func step(over range: Double, ticks: Int) -> Double {
    let rough = max(range, 1e-6) / Double(ticks)
    let power = pow(10, log10(rough).rounded(.down))
    return [1, 2, 5, 10].first { $0 * power >= rough }! * power
  }
}
