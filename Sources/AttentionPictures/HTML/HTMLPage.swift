extension WeightStack {
  /// The most weights, over all layers and heads, that ``htmlPage(selectedQuery:)`` takes: some 35 MB of text.
  public static let largestPage = 4_000_000
  /// The most queries or keys that ``htmlPage(selectedQuery:)`` takes: browsers limit the size of a picture.
  public static let longestPageSide = 4_000

  /// A page that needs nothing else and no network: a heat map that shows query, key and weight under the pointer or,
  /// with the arrow keys, at the cursor; the tokens of both sides, tinted by the weights of the one pointed at; a choice
  /// of layer and head, or the mean of the heads; light and dark.
  ///
  /// The address says what is chosen (`#layer=0&head=mean&query=1&key=2`). Stops when there are more than
  /// ``largestPage`` weights, or more than ``longestPageSide`` queries or keys.
  ///
  /// - Parameter selectedQuery: The query whose weights are shown at first, from 0.
  public func htmlPage(selectedQuery: Int? = nil) -> String {
    let count = layers.reduce(0) { $0 + $1.weights.count }
    require(
      count <= Self.largestPage,
      "WeightStack: \(count) weights are too many for a page of at most \(Self.largestPage); take fewer heads or tokens"
    )
    require(
      max(queryLabels.count, keyLabels.count) <= Self.longestPageSide,
      "WeightStack: \(queryLabels.count) queries and \(keyLabels.count) keys are too many for a page of at most "
        + "\(Self.longestPageSide) of each")
    if let selectedQuery {
      require(
        queryLabels.indices ~= selectedQuery,
        "WeightStack: there is no query \(selectedQuery), only 0 to \(queryLabels.count - 1)")
    }
    let name = LabelText.printable(title ?? "Attention weights").escapedForXML
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
      script-src 'unsafe-inline'">
      <meta name="color-scheme" content="light dark">
      <title>\(name)</title>
      <style>
      \(HTMLParts.style)
      </style>
      </head>
      <body>
      <h1>\(name)</h1>
      <noscript><p>This page draws with JavaScript, which is switched off.</p></noscript>
      \(HTMLParts.body)
      <script type="application/json" id="data">\(data(selectedQuery))</script>
      <script>
      \(HTMLParts.script)
      </script>
      </body>
      </html>

      """
  }

  private func data(_ query: Int?) -> String {
    func labels(_ labels: [String]) -> String {
      JSONText.array(labels.map { JSONText.string(LabelText.printable($0)) })
    }
    let size = queryLabels.count * keyLabels.count
    let layers = self.layers.map { layer in
      let heads = layer.headNames.enumerated().map { head, name in
        let weights = layer.weights.scalars[head * size..<(head + 1) * size].map(JSONText.number)
        return "{\"name\":\(JSONText.string(name)),\"weights\":\(JSONText.array(weights))}"
      }
      return "{\"name\":\(JSONText.string(layer.name)),\"heads\":\(JSONText.array(heads))}"
    }
    let scales = ColourScale.allCases.map { scale in
      JSONText.array((0...64).map { JSONText.string(scale[Double($0) / 64].hex) })
    }
    let fields = [
      ("queries", labels(queryLabels)), ("keys", labels(keyLabels)), ("query", query.map(String.init) ?? "null"),
      ("scales", "{\"light\":\(scales[0]),\"dark\":\(scales[1])}"), ("layers", JSONText.array(layers)),
    ]
    return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",\n") + "}"
  }
}
