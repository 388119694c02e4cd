import Attention
import Foundation
import Testing

@testable import AttentionPictures

@Suite struct HTMLPageTests {
  struct Page: Decodable {
    struct Layer: Decodable {
      struct Head: Decodable {
        var name: String
        var weights: [Weight]
      }
      var name: String
      var heads: [Head]
    }
    var queries, keys: [String]
    var query: Int?
    var scales: [String: [String]]
    var layers: [Layer]
  }

  /// A number, or the name of what is not finite.
  enum Weight: Decodable, Equatable {
    case number(Float)
    case name(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Float.self) {
        self = .number(number)
      } else {
        self = .name(try container.decode(String.self))
      }
    }
  }

  static let opening = "<script type=\"application/json\" id=\"data\">"

  /// What a browser takes for the data: up to the first end tag of a script.
  func data(of page: String) throws -> Page {
    let start = try #require(page.range(of: Self.opening)).upperBound
    let end = try #require(page.range(of: "</script", options: .caseInsensitive, range: start..<page.endIndex))
      .lowerBound
    return try JSONDecoder().decode(Page.self, from: Data(page[start..<end].utf8))
  }

  @Test func layersAndHeads() throws {
    let numbers = (0..<24).map { Float($0) / 32 }
    let stack = WeightStack(
      layers: [
        .init("0", weights: Tensor(Array(numbers[..<12]), shape: [2, 2, 3])),
        .init("1", weights: Tensor(Array(numbers[12...]), shape: [2, 2, 3]), headNames: ["a", "b"]),
      ], queryLabels: ["q", "r"], keyLabels: ["我", "爱", "中国"], title: "Title")
    let page = try data(of: stack.htmlPage(selectedQuery: 1))
    #expect(page.queries == ["q", "r"] && page.keys == ["我", "爱", "中国"] && page.query == 1)
    #expect(page.layers.map(\.name) == ["0", "1"] && page.layers[1].heads.map(\.name) == ["a", "b"])
    #expect(page.layers.flatMap { $0.heads.flatMap(\.weights) } == numbers.map { .number($0) })
    #expect(page.scales["light"]?.count == 65 && page.scales["dark"]?.first == ColourScale.onDark[0].hex)
    #expect(try data(of: stack.htmlPage()).query == nil)
  }

  /// A label ends neither the data nor an element.
  @Test func hostileLabels() throws {
    let labels = ["</script><script>alert(1)</script>", "<!--", "]]>", "\"\\", "\u{2028}", "</SCRIPT", "&lt;"]
    let stack = WeightStack(
      Tensor(repeating: 0.5, shape: [7, 7]), labels: labels, title: "</title><script>alert(2)</script>")
    let text = stack.htmlPage()
    #expect(try data(of: text).keys == labels.map(LabelText.printable))
    // The data and the program; nothing of the labels became an element.
    #expect(text.matches(of: /(?i)<script/).count == 2 && text.matches(of: /(?i)<\/script/).count == 2)
    #expect(!text.contains("<!--"))
    #expect(text.contains("<title>&lt;/title&gt;&lt;script&gt;alert(2)&lt;/script&gt;</title>"))
  }

  @Test func numbers() throws {
    let values: [Float] = [.nan, .infinity, -.infinity, 0, 1, 1e-7, 0.123456789, -2.5, 0.001, 3e8, 0.00099]
    let page = try data(of: WeightStack(Tensor(values, shape: [1, values.count])).htmlPage())
    let weights = page.layers[0].heads[0].weights
    #expect(weights[..<3] == [.name("nan"), .name("inf"), .name("-inf")])
    for (value, weight) in zip(values, weights).dropFirst(3) {
      guard case .number(let number) = weight else {
        Issue.record("\(weight) for \(value)")
        continue
      }
      // Six digits after the point from 0.001 to 1, all digits elsewhere.
      #expect((number - value).magnitude <= max(0.51e-6, value.magnitude * 0x1p-23))
    }
  }

  /// No address but in the namespace of nothing: the page loads nothing, and a policy forbids it.
  @Test func selfContained() {
    let text = WeightStack(Tensor([1], shape: [1, 1])).htmlPage()
    #expect(!text.contains("http:") && !text.contains("https:") && !text.contains("src="))
    #expect(text.contains("default-src 'none'"))
    #expect(text.contains("prefers-color-scheme: dark"))
  }

  /// Tags are closed in the order in which they were opened.
  @Test func wellFormed() throws {
    let text = WeightStack(Tensor([1, 2], shape: [2, 1, 1]), labels: ["<"], title: "a < b").htmlPage()
    let void: Set = ["meta", "!DOCTYPE"]
    var open: [Substring] = []
    // Style and script hold no markup.
    let markup = text.replacing(/(?s)<(style|script)([^>]*)>.*?<\/(style|script)>/) { "<\($0.1)></\($0.3)>" }
    for tag in markup.matches(of: /<(\/?)([!A-Za-z0-9]+)[^>]*>/) where !void.contains(String(tag.2)) {
      if tag.1.isEmpty {
        open.append(tag.2)
      } else {
        #expect(open.popLast() == tag.2)
      }
    }
    #expect(open.isEmpty)
    // Every element that the program looks for is there.
    for id in [
      "data", "layer", "head", "range", "picture", "map", "marks", "status", "queries", "keys", "low", "high", "bar",
    ] {
      #expect(text.contains("id=\"\(id)\""), "\(id)")
    }
  }

  @Test func tooMuch() async throws {
    let exit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WeightStack(Tensor(repeating: 0, shape: [1, 1, 4001])).htmlPage()
    }
    let text = String(decoding: try #require(exit).standardErrorContent, as: UTF8.self)
    #expect(text.contains("1 queries and 4001 keys are too many for a page of at most 4000 of each"))
  }
}
