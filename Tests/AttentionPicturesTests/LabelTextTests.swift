import Testing

@testable import AttentionPictures

/// Labels of any origin, in columns.
@Suite struct LabelTextTests {
  /// Widths by Unicode Standard Annex 11, and for emoji as terminals show them.
  @Test(arguments: [
    ("", 0), ("a", 1), ("word", 4), ("我", 2), ("中国", 4), ("ｆｕｌｌ", 8), ("ﾊﾝｶｸ", 4), ("カタカナ", 8), ("한글", 4), ("é", 1),
    ("e\u{301}", 1), ("Ж", 1), ("ф\u{306}", 1), ("👍", 2), ("👍🏽", 2), ("👩‍🚀", 2), ("🇨🇳", 2), ("☀\u{FE0F}", 2), ("☀", 1),
    ("…", 1),
    ("█", 1), ("▁the", 4), ("Ġthe", 4), ("𠮷", 2), ("a\u{200D}", 1),
  ])
  func widths(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width, "\(text)")
  }

  @Test(arguments: [
    ("word", "word"), (" the", "␣the"), ("a b ", "a b␣"), ("  ", "␣␣"), ("", ""), ("a\nb\tc\r", "a\\nb\\tc\\r"),
    ("\u{1B}[31m", "\\u{1b}[31m"), ("\u{0}", "\\u{0}"), ("\u{202E}x", "\\u{202e}x"), ("\u{FFFE}", "\\u{fffe}"),
    ("👩‍🚀", "👩‍🚀"), ("</b>&", "</b>&"), ("\u{2028}", "\\u{2028}"),
  ])
  func printable(label: String, shown: String) {
    #expect(LabelText.printable(label) == shown)
  }

  @Test(arguments: [
    ("中国人", 6, "中国人"), ("中国人", 5, "中国…"), ("中国人", 4, "中…"), ("中国人", 1, "…"), ("abc", 2, "a…"), ("abc", 0, ""),
    ("e\u{301}abc", 3, "e\u{301}a…"),
  ])
  func cut(text: String, width: Int, result: String) {
    #expect(LabelText.cut(text, to: width) == result)
    #expect(DisplayWidth.of(result) <= width)
  }

  /// Whatever the text, exactly the columns asked for.
  @Test func padding() {
    for text in ["", "a", "我", "中国人", "a中", "👍🏽!", "very long label"] {
      for width in 0...12 {
        for alignment in [LabelText.Alignment.left, .centre, .right] {
          #expect(DisplayWidth.of(LabelText.padded(text, to: width, alignment)) == width, "\(text) \(width)")
        }
      }
    }
    #expect(LabelText.padded("我", to: 5, .left) == "我   ")
    #expect(LabelText.padded("我", to: 5, .centre) == " 我  ")
    #expect(LabelText.padded("我", to: 5, .right) == "   我")
  }
}
