/// The share of hypotheses, in 0...1, that equal one of their references but for the width of spaces; references[i] are
/// those of hypotheses[i]. Of no hypotheses 0.
public func exactMatch(_ hypotheses: [String], references: [[String]]) -> Double {
  requireReferences(references, for: hypotheses, of: "exactMatch")
  guard !hypotheses.isEmpty else { return 0 }
  func words(_ text: String) -> [String] { SpaceTokenizer().tokens(of: text) }
  let matching = zip(hypotheses, references).count { hypothesis, references in
    references.contains { words($0) == words(hypothesis) }
  }
  return Double(matching) / Double(hypotheses.count)
}
