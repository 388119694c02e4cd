import Attention
import Foundation
import Testing

@testable import Tutorials

/// The examples give what their pages say.
@Suite struct TutorialsTests {
  /// A row of at most six weights in −1...1: each is rounded once, and so are their sums, by at most 2⁻²⁴ of 1.
  static let rowSumBound: Float = 12 * 0x1p-24

  func expectRowsOfWeights(_ weights: Tensor) {
    let width = weights.shape.last!
    for start in stride(from: 0, to: weights.count, by: width) {
      let row = weights.scalars[start..<start + width]
      #expect(row.allSatisfy { $0 >= 0 } && (row.reduce(0, +) - 1).magnitude < Self.rowSumBound)
    }
  }

  @Test func additive() {
    let (context, weights) = additiveAttention()
    #expect(context.shape == [2, 10] && weights.shape == [2, 5])
    expectRowsOfWeights(weights)
  }

  /// By the formula, in double precision.
  @Test func selfAttentionByTheFormula() {
    let words = ["the", "cat", "the"]
    let (output, weights) = selfAttention(of: words, dimensions: 4)
    #expect(output.shape == [3, 4] && weights.shape == [3, 3])
    expectRowsOfWeights(weights)
    // Equal words are equal as queries and as keys.
    for i in 0..<3 { #expect(weights[i, 0] == weights[i, 2] && weights[0, i] == weights[2, i]) }
    let x = Embedding(embeddingCount: 2, dimensions: 4, seed: 3)([1, 0, 1])
    for i in 0..<3 {
      let scores = (0..<3).map { j in (0..<4).reduce(0.0) { $0 + Double(x[i, $1]) * Double(x[j, $1]) } / 2 }
      let sum = scores.reduce(0) { $0 + exp($1) }
      for (j, score) in scores.enumerated() {
        // A score's error, some 2⁻²² of its size, is the relative error of its weight.
        let bound = 0x1p-21 * (1 + score.magnitude)
        #expect((Double(weights[i, j]) - exp(score) / sum).magnitude < bound, "\(i), \(j)")
      }
      for d in 0..<4 {
        let mixed = (0..<3).reduce(0.0) { $0 + Double(weights[i, $1]) * Double(x[$1, d]) }
        #expect((Double(output[i, d]) - mixed).magnitude < 16 * 0x1p-24, "\(i), \(d)")
      }
    }
  }

  @Test func crossAttentionLeavesPaddingOut() {
    let (output, weights) = crossAttention()
    #expect(output.shape == [1, 4, 16] && weights.shape == [1, 4, 4, 6])
    expectRowsOfWeights(weights)
    for head in 0..<4 {
      for query in 0..<4 { #expect(weights[0, head, query, 5] == 0 && weights[0, head, query, 4] > 0) }
    }
  }

  @Test func sentence() {
    let (words, context, weights) = sentenceAttention()
    #expect(context.shape == [1, 2] && weights.shape == [1, 3])
    #expect(words.indices.sorted { weights[0, $0] > weights[0, $1] }.map { words[$0] } == ["爱", "中国", "我"])
  }

  /// Every example has its picture in the terminal and in files.
  @Test func pictures() {
    for (name, run) in Tutorials.examples {
      let example = run()
      #expect(!example.picture.isEmpty && example.files.keys.contains { $0.hasSuffix(".svg") }, "\(name)")
      for (file, text) in example.files {
        #expect(text.hasPrefix(file.hasSuffix(".svg") ? "<?xml" : "<!DOCTYPE html>"), "\(file)")
      }
    }
  }
}
