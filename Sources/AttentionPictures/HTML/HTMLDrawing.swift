extension HTMLParts {
  /// The heat map on its canvas.
  static let drawing = #"""
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
    """#
}
