extension HTMLParts {
  static let script = [state, drawing, choice, events].joined(separator: "\n\n")

  /// What is shown: the map and its range. The chosen query and key are indices or null.
  private static let state = #"""
    "use strict";
    const data = JSON.parse(document.getElementById("data").textContent);
    const { queries, keys, layers } = data;
    const find = (id) => document.getElementById(id);
    const [picture, map, marks, layerSelect, headSelect, rangeSelect] =
      ["picture", "map", "marks", "layer", "head", "range"].map(find);
    const darkness = matchMedia("(prefers-color-scheme: dark)");
    const isNumber = (weight) => typeof weight === "number";
    let weights = [], range = [0, 1], layout = {};
    let chosen = { query: data.query, key: null }, isKept = data.query !== null;

    const mean = (heads) => heads[0].weights.map((_, index) => {
      const all = heads.map((head) => head.weights[index]);
      return all.every(isNumber) ? all.reduce((sum, weight) => sum + weight) / all.length : "nan";
    });

    function rangeOf(lists) {
      let low = 0, high = 0;
      for (const list of lists) for (const weight of list) if (isNumber(weight)) {
        low = Math.min(low, weight);
        high = Math.max(high, weight);
      }
      return low === high ? [0, 1] : [low, high];
    }

    const scale = () => data.scales[darkness.matches ? "dark" : "light"];
    const colour = (weight) => {
      const fraction = Math.min(Math.max((weight - range[0]) / (range[1] - range[0]), 0), 1);
      return scale()[Math.round(fraction * (scale().length - 1))];
    };
    const inkOn = (hex) => {
      const [r, g, b] = [1, 3, 5].map((start) => {
        const channel = parseInt(hex.slice(start, start + 2), 16) / 255;
        return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.22 ? "#fff" : "#000";
    };
    const number = (weight) => isNumber(weight) ? weight.toFixed(4) : weight;
    const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

    function fillSelect(select, names) {
      select.replaceChildren(...names.map(([value, text]) => new Option(text, value)));
      select.parentElement.hidden = names.length < 2;
    }

    function chooseLayer() {
      const { heads } = layers[layerSelect.value], before = headSelect.value;
      const names = heads.map((head, index) => [String(index), head.name]);
      fillSelect(headSelect, heads.length > 1 ? [["mean", `mean of ${heads.length}`], ...names] : names);
      if (names.some(([value]) => value === before)) headSelect.value = before;
    }

    function chooseMap() {
      const { heads } = layers[layerSelect.value];
      weights = headSelect.value === "mean" ? mean(heads) : heads[headSelect.value].weights;
      range = rangeOf(rangeSelect.value === "map" ? [weights] : layers.flatMap((l) => l.heads.map((h) => h.weights)));
      draw();
      show();
    }
    """#
}
