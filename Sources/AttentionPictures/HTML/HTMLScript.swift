extension HTMLParts {
  /// State, then drawing, then events. The chosen query and key are indices or null.
  static let script = #"""
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

    function measure() {
      const context = map.getContext("2d");
      // Browsers limit the sides of a canvas: the longest that a page takes come to 8,000 pixels.
      const least = Math.max(queries.length, keys.length) > 1000 ? 2 : 4;
      const cell = Math.min(Math.max(Math.floor(Math.min(900 / keys.length, 840 / queries.length)), least), 40);
      const size = Math.min(Math.max(Math.round(cell * 0.62), 10), 13);
      const font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
      context.font = font;
      const cut = (text) => {
        if (context.measureText(text).width <= 150) return text;
        const letters = [...text];
        while (letters.length && context.measureText(letters.join("") + "…").width > 150) letters.pop();
        return letters.join("") + "…";
      };
      const rows = queries.map(cut), columns = keys.map(cut);
      const widest = (labels) => Math.max(...labels.map((label) => context.measureText(label).width));
      const step = Math.ceil((size + 2) / cell), width = widest(columns);
      const angle = width <= cell * step - 4 ? 0 : step === 1 && cell >= 20 ? -45 : -90;
      const slanted = Math.SQRT1_2 * (width + size);
      const left = Math.ceil(widest(rows)) + 8;
      const top = Math.ceil(angle === 0 ? size + 8 : angle === -45 ? slanted + 6 : width + 8);
      const overhang = angle === -45 ? Math.max(0, slanted - cell / 2) : 0;
      layout = { cell, size, font, rows, columns, step, angle, left, top,
        width: left + cell * keys.length + Math.ceil(overhang) + 4, height: top + cell * queries.length + 4 };
    }

    function prepare(canvas) {
      const ratio = window.devicePixelRatio || 1, { width, height } = layout;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      context.font = layout.font;
      return context;
    }

    // On a box of the colour `paper`, when one is given, to stand out from what is below.
    function label(context, text, x, y, angle, align, paper) {
      const width = context.measureText(text).width + 6, height = layout.size + 4;
      context.save();
      context.translate(x, y);
      context.rotate(angle * Math.PI / 180);
      context.textAlign = align;
      context.textBaseline = "middle";
      if (paper) {
        const ink = context.fillStyle, start = { left: 3, center: width / 2, right: width - 3 }[align];
        context.fillStyle = paper;
        context.fillRect(-start, -height / 2, width, height);
        context.fillStyle = ink;
      }
      context.fillText(text, 0, 0);
      context.restore();
    }
    const rowLabel = (context, query, paper) =>
      label(context, layout.rows[query], layout.left - 5, layout.top + (query + 0.5) * layout.cell, 0, "right", paper);
    function columnLabel(context, key, paper) {
      const { angle, size } = layout, x = layout.left + (key + 0.5) * layout.cell;
      const above = angle === 0 ? size / 2 + 3 : 5;
      label(context, layout.columns[key], x, layout.top - above, angle, angle ? "left" : "center", paper);
    }

    function hatch(context, x, y, side) {
      context.save();
      context.beginPath();
      context.rect(x, y, side, side);
      context.clip();
      context.strokeStyle = "#d1453b";
      for (let start = -side; start < side; start += 5) {
        context.moveTo(x + start, y + side);
        context.lineTo(x + start + side, y);
      }
      context.stroke();
      context.restore();
    }

    function draw() {
      measure();
      const context = prepare(map), { cell, left, top, size } = layout, gap = cell >= 12 ? 1 : 0;
      prepare(marks);
      weights.forEach((weight, index) => {
        const x = left + (index % keys.length) * cell, y = top + Math.floor(index / keys.length) * cell;
        if (!isNumber(weight)) return hatch(context, x, y, cell - gap);
        context.fillStyle = colour(weight);
        context.fillRect(x, y, cell - gap, cell - gap);
      });
      if (cell >= 30) {
        const paper = variable("--paper");
        context.font = layout.font.replace(/^\d+px/, `${Math.round(cell * 0.3)}px`);
        weights.forEach((weight, index) => {
          const text = isNumber(weight) ? weight.toFixed(2) : weight;
          if (context.measureText(text).width > cell - 3) return;
          context.fillStyle = isNumber(weight) ? inkOn(colour(weight)) : variable("--ink");
          label(context, text, left + (index % keys.length + 0.5) * cell,
            top + (Math.floor(index / keys.length) + 0.5) * cell, 0, "center", isNumber(weight) ? "" : paper);
        });
        context.font = layout.font;
      }
      context.strokeStyle = variable("--line");
      context.strokeRect(left - 0.5, top - 0.5, keys.length * cell - gap + 1, queries.length * cell - gap + 1);
      context.fillStyle = variable("--ink");
      for (let query = 0; query < queries.length; query += layout.step) rowLabel(context, query);
      for (let key = 0; key < keys.length; key += layout.step) columnLabel(context, key);
      find("low").textContent = String(+range[0].toPrecision(3));
      find("high").textContent = String(+range[1].toPrecision(3));
      find("bar").style.background = `linear-gradient(to right, ${scale().join(", ")})`;
    }

    function tint(list, isChosen, weightAt) {
      [...list.children].forEach((token, index) => {
        const weight = weightAt(index);
        const fill = isNumber(weight) ? colour(weight) : "";
        token.style.background = fill;
        token.style.color = fill && inkOn(fill);
        token.title = weight === null ? token.textContent : `${token.textContent}: ${number(weight)}`;
        token.classList.toggle("chosen", isChosen(index));
      });
    }

    function show() {
      const { query, key } = chosen, { cell, left, top } = layout;
      const at = (row, column) => row === null || column === null ? null : weights[row * keys.length + column];
      tint(find("queries"), (index) => index === query, (index) => at(index, key));
      tint(find("keys"), (index) => index === key, (index) => at(query, index));
      const context = marks.getContext("2d");
      context.clearRect(0, 0, layout.width, layout.height);
      context.strokeStyle = context.fillStyle = variable("--mark");
      context.lineWidth = 2;
      context.font = `bold ${layout.font}`;
      if (query !== null) context.strokeRect(left - 1, top + query * cell - 1, keys.length * cell + 1, cell + 1);
      if (key !== null) context.strokeRect(left + key * cell - 1, top - 1, cell + 1, queries.length * cell + 1);
      if (query !== null) rowLabel(context, query, variable("--paper"));
      if (key !== null) columnLabel(context, key, variable("--paper"));
      const parts = [query === null ? "" : `query ${queries[query]}`, key === null ? "" : `key ${keys[key]}`];
      const weight = at(query, key) === null ? "" : `weight ${number(at(query, key))}`;
      find("status").textContent = [...parts, weight].filter(Boolean).join("  ·  ");
    }

    function choose(query, key, keep) {
      if (isKept && keep === undefined) return;
      isKept = Boolean(keep);
      chosen = { query, key };
      show();
      if (keep !== undefined) remember();
    }

    function remember() {
      const entries = { layer: layerSelect.value, head: headSelect.value };
      if (chosen.query !== null) entries.query = chosen.query;
      if (chosen.key !== null) entries.key = chosen.key;
      history.replaceState(null, "", "#" + new URLSearchParams(entries));
    }

    function readAddress() {
      const address = new URLSearchParams(location.hash.slice(1));
      const index = (name, list) => {
        const value = Number(address.get(name) ?? NaN);
        return Number.isInteger(value) && value >= 0 && value < list.length ? value : null;
      };
      layerSelect.value = String(index("layer", layers) ?? 0);
      chooseLayer();
      const head = address.get("head");
      if ([...headSelect.options].some((option) => option.value === head)) headSelect.value = head;
      if (address.has("query") || address.has("key")) {
        chosen = { query: index("query", queries), key: index("key", keys) };
        isKept = true;
      }
    }

    function cellAt(event) {
      const box = map.getBoundingClientRect(), { cell, left, top } = layout;
      const query = Math.floor((event.clientY - box.top - top) / cell);
      const key = Math.floor((event.clientX - box.left - left) / cell);
      const within = (index, list) => index >= 0 && index < list.length ? index : null;
      return [within(query, queries), within(key, keys)];
    }

    const clear = () => choose(null, null, false);
    picture.addEventListener("pointermove", (event) => choose(...cellAt(event)));
    picture.addEventListener("pointerleave", () => choose(null, null));
    picture.addEventListener("click", (event) => isKept ? clear() : choose(...cellAt(event), true));
    picture.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const { query, key } = chosen, bound = (index, list) => Math.min(Math.max(index, 0), list.length - 1);
      if (steps[event.key]) {
        const [down, right] = query === null && key === null ? [0, 0] : steps[event.key];
        choose(bound((query ?? 0) + down, queries), bound((key ?? 0) + right, keys), true);
      } else if (event.key === "Home") choose(query ?? 0, 0, true);
      else if (event.key === "End") choose(query ?? 0, keys.length - 1, true);
      else if (event.key !== "Enter") return;
      event.preventDefault();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });

    for (const [id, labels, pair] of [["queries", queries, (i) => [i, null]], ["keys", keys, (i) => [null, i]]]) {
      find(id).replaceChildren(...labels.map((text, index) => {
        const token = document.createElement("button");
        token.textContent = text;
        token.addEventListener("pointerenter", () => choose(...pair(index)));
        token.addEventListener("pointerleave", () => choose(null, null));
        token.addEventListener("focus", () => choose(...pair(index)));
        token.addEventListener("click", () => {
          token.classList.contains("chosen") && isKept ? clear() : choose(...pair(index), true);
        });
        return token;
      }));
    }

    layerSelect.addEventListener("change", () => { chooseLayer(); chooseMap(); remember(); });
    headSelect.addEventListener("change", () => { chooseMap(); remember(); });
    rangeSelect.addEventListener("change", chooseMap);
    darkness.addEventListener("change", () => { draw(); show(); });
    addEventListener("hashchange", () => { readAddress(); chooseMap(); });

    fillSelect(layerSelect, layers.map((layer, index) => [String(index), layer.name]));
    rangeSelect.parentElement.hidden = layers.length === 1 && layers[0].heads.length === 1;
    readAddress();
    if (queries.length === 0 || keys.length === 0) {
      find("status").textContent = `nothing to draw: ${queries.length} queries × ${keys.length} keys`;
    } else {
      chooseMap();
    }
    """#
}
