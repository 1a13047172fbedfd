/* SPDX-License-Identifier: MIT
 * The flame graph alive: draws the data at the window's width, zooms, searches, turns round.
 * ASCII only: it is embedded as bytes (module.mk).
 *
 * A node is { label, samples, wall, cpu, up, depth, kids() }. In the usual order its kids are what
 * the frame called; in the order of callers the outermost nodes are the functions that ran, and
 * kids are who called them. Kids are made when they are first wanted: a graph of 200 000 frames
 * draws only some thousand of them. */
(function () {
"use strict";

var SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
var ROW = 18, MARGIN = 12, TEXT_MIN = 24, PAD = 4;
var ORIGINS = [["a", "application"], ["l", "library"], ["s", "standard library"], ["n", "native"],
	       ["k", "kernel"], ["m", "thread, mark"]];

var script = document.currentScript;
var svg = script && script.ownerSVGElement || document.documentElement;
var data = JSON.parse(svg.querySelector("#data").textContent);
var labels = data.labels, by = data.by;

/* ---- the tree ---- */

var FIELDS = 5;
var count = data.frames.length / FIELDS;
var total = { samples: new Float64Array(count), wall: new Float64Array(count),
	      cpu: new Float64Array(count) };
var parent = new Int32Array(count), past = new Int32Array(count);

function frameDepth(i) { return data.frames[i * FIELDS]; }
function frameLabel(i) { return data.frames[i * FIELDS + 1]; }
function frameSelf(i, field) { return data.frames[i * FIELDS + 2 + field]; }

/* Frames come outermost first: past[i] is the first one that is not below i. */
function readFrames() {
	var path = [], i;

	for (i = 0; i < count; i++) {
		while (path.length > frameDepth(i))
			past[path.pop()] = i;
		parent[i] = path.length ? path[path.length - 1] : -1;
		path.push(i);
	}
	path.forEach(function (p) { past[p] = count; });
	for (i = count - 1; i >= 0; i--) {
		["samples", "wall", "cpu"].forEach(function (field, n) {
			total[field][i] += frameSelf(i, n);
			if (i)
				total[field][parent[i]] += total[field][i];
		});
	}
}

function Node(label, up, values) {
	this.label = label;
	this.up = up;
	this.depth = up ? up.depth + 1 : 0;
	this.samples = values[0];
	this.wall = values[1];
	this.cpu = values[2];
	this.made = null;
}

Node.prototype.weight = function () { return by === "samples" ? this.samples : this.wall; };
Node.prototype.kids = function () {
	if (!this.made) {
		this.made = this.make();
		this.made.sort(function (a, b) { return b.weight() - a.weight(); });
	}
	return this.made;
};

/* Usual order: frame i of the data. */
function frameNode(i, up) {
	var node = new Node(i ? frameLabel(i) : -1, up,
			    [total.samples[i], total.wall[i], total.cpu[i]]);

	node.frames = past[i] - i - 1; /* below it */
	node.self = frameSelf(i, by === "samples" ? 0 : 1);
	node.make = function () {
		var kids = [], k;

		for (k = i + 1; k < past[i]; k = past[k])
			kids.push(frameNode(k, node));
		return kids;
	};
	return node;
}

/* Order of callers: `looks` are [frame, samples, wall, cpu] of what ended here. */
function callerNode(label, up, looks) {
	var sum = [0, 0, 0];

	looks.forEach(function (l) {
		sum[0] += l[1];
		sum[1] += l[2];
		sum[2] += l[3];
	});
	var node = new Node(label, up, sum);
	node.frames = 0;
	node.make = function () {
		var groups = new Map();

		looks.forEach(function (l) {
			var at = up ? parent[l[0]] : l[0], name;

			if (at <= 0)
				return;
			name = frameLabel(at);
			if (!groups.has(name))
				groups.set(name, []);
			groups.get(name).push([at, l[1], l[2], l[3]]);
		});
		return Array.from(groups, function (g) { return callerNode(g[0], node, g[1]); });
	};
	return node;
}

function callersRoot() {
	var looks = [], i;

	for (i = 1; i < count; i++)
		if (frameSelf(i, 0) || frameSelf(i, 1) || frameSelf(i, 2))
			looks.push([i, frameSelf(i, 0), frameSelf(i, 1), frameSelf(i, 2)]);
	return callerNode(-1, null, looks);
}

readFrames();
var roots = { callees: frameNode(0, null), callers: null };

function root() {
	if (state.callers && !roots.callers)
		roots.callers = callersRoot();
	return state.callers ? roots.callers : roots.callees;
}

/* ---- words ---- */

function labelText(label) {
	if (label < 0)
		return "all";
	return labels[label][1] ? labels[label][0] + " (" + labels[label][1] + ")" : labels[label][0];
}

function timeText(ns) {
	var s = ns / 1e9;

	if (s >= 3600)
		return Math.floor(s / 3600) + " h " + ("0" + Math.floor(s / 60 % 60)).slice(-2) + " min";
	if (s >= 60)
		return Math.floor(s / 60) + " min " + ("0" + Math.floor(s % 60)).slice(-2) + " s";
	if (s >= 1)
		return s.toFixed(s >= 10 ? 1 : 2) + " s";
	return ns >= 1e6 || !ns ? (ns / 1e6).toPrecision(3) + " ms" : (ns / 1e3).toPrecision(3) + " \u00b5s";
}

function countText(n) {
	return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function percent(part, whole) {
	var p = whole ? 100 * part / whole : 0;

	return (p >= 9.95 || !p ? p.toFixed(1) : p.toPrecision(2)) + " %";
}

/* ---- elements ---- */

function el(ns, name, attributes, kids) {
	var e = document.createElementNS(ns, name), key;

	for (key in attributes)
		e.setAttribute(key, attributes[key]);
	(kids || []).forEach(function (k) {
		e.appendChild(typeof k === "string" ? document.createTextNode(k) : k);
	});
	return e;
}

function html(name, attributes, kids) { return el(HTML, name, attributes, kids); }

var state = { focus: null, callers: false, flames: data.flames, pattern: null, cursor: null };
var drawn = [];        /* { node, x, w, y, g } of what is on screen */
var hidden = { frames: 0, weight: 0, unsure: false };
var matches = null;    /* per label: does it match? */

var h1 = html("h1", {}, [data.title]);
var remarks = html("p", { id: "remarks" }, [data.remarks]);
var resetButton = html("button", { id: "reset", type: "button", title: "Esc" }, ["Reset"]);
var invertButton = html("button", { id: "invert", type: "button", title: "Key i" }, ["Invert"]);
var callersButton = html("button", { id: "callers", type: "button",
	title: "Key c: what ran on the outside, its callers inside" }, ["Callers"]);
var searchBox = html("input", { id: "search", type: "text", placeholder: "Search (regex)",
	title: "Ctrl-F or /", "aria-label": "Search, a regular expression", spellcheck: "false",
	autocomplete: "off" });
var searchButton = html("button", { id: "find", type: "button", title: "Ctrl-F or /" }, ["Search"]);
var matched = html("span", { id: "matched", "class": "matched", role: "status" });
var legend = html("span", { "class": "legend" });
var bar = html("div", { "class": "bar" }, [resetButton, invertButton, callersButton, searchBox,
	searchButton, matched, legend]);
var headBox = html("div", { "class": "head" }, [h1, remarks, bar]);
var head = el(SVG, "foreignObject", { x: 0, y: 0, width: 100, height: 100 }, [headBox]);
var graph = el(SVG, "g", { id: "graph", tabindex: 0, role: "application", "aria-label":
	"Flame graph. Arrow keys move, Enter zooms, Escape resets, slash searches" });
var tipBox = html("div", { "class": "tip" });
var tip = el(SVG, "foreignObject", { id: "tip", width: 1, height: 1, style: "pointer-events:none" },
	     [tipBox]);

function buildLegend() {
	var seen = {};

	labels.forEach(function (l) { seen[l[2]] = true; });
	ORIGINS.forEach(function (o, i) {
		if (!seen[i])
			return;
		legend.appendChild(html("span", {}, [
			el(SVG, "svg", { viewBox: "0 0 12 12" }, [
				el(SVG, "rect", { "class": o[0] + "2", width: 12, height: 12, rx: 2 })]),
			o[1]]));
	});
}

/* ---- text that fits ---- */

var pen = html("canvas").getContext("2d");
var widths = new Map();

function usePenFont() {
	var style = getComputedStyle(svg);

	if (pen)
		pen.font = style.fontSize + " " + style.fontFamily;
}

function textWidth(text) {
	var w = widths.get(text);

	if (w === undefined) {
		w = pen ? pen.measureText(text).width : text.length * 7;
		if (widths.size < 100000)
			widths.set(text, w);
	}
	return w;
}

/* As many characters as fit, never half of a pair. */
function cutText(text, room) {
	var chars, low = 0, high, mid;

	if (textWidth(text) <= room)
		return text;
	chars = Array.from(text.slice(0, Math.ceil(room)));
	high = chars.length;
	while (low < high) {
		mid = (low + high + 1) >> 1;
		if (textWidth(chars.slice(0, mid).join("") + "\u2026") <= room)
			low = mid;
		else
			high = mid - 1;
	}
	return low ? chars.slice(0, low).join("") + "\u2026" : "";
}

/* The name and its place; the name alone; a part of the name. */
function fitLabel(label, room) {
	var name = label < 0 ? "all" : labels[label][0];
	var place = label < 0 || !labels[label][1] ? "" : " (" + labels[label][1] + ")";

	if (place && textWidth(name) + textWidth(place) <= room)
		return [name, place];
	return [cutText(name, room), ""];
}

/* ---- drawing ---- */

/* As wide as what holds us; a scroll bar, which only comes with the height, takes its part. */
function windowWidth() {
	svg.setAttribute("width", "100%");
	return Math.max(240, Math.floor(svg.getBoundingClientRect().width));
}

function addFrame(node, row, x, w, above) {
	drawn.push({ node: node, row: row, x: x, w: w, above: above });
}

/* Which frames are wide enough, row by row. Frames that fall on the same half pixel are drawn once. */
function place(width) {
	var focus = state.focus || root(), up = [], n, rows = 0, queue, scale;

	drawn = [];
	hidden = { frames: 0, weight: 0, unsure: false };
	for (n = focus.up; n; n = n.up)
		up.unshift(n);
	up.forEach(function (a) { addFrame(a, rows++, MARGIN, width, true); });
	addFrame(focus, rows, MARGIN, width, false);
	scale = focus.weight() ? width / focus.weight() : 0;
	queue = scale ? [[focus, rows, MARGIN]] : [];
	while (queue.length) {
		var next = [], last = -1;

		queue.forEach(function (item) {
			var x = item[2];

			rows = item[1];
			item[0].kids().forEach(function (kid) {
				var w = kid.weight() * scale, end = x + w;

				if (w < data.narrow) {
					hidden.frames += 1 + kid.frames;
					hidden.weight += kid.weight();
					hidden.unsure = hidden.unsure || state.callers;
				} else if (w >= 0.5 || end >= last + 0.5) {
					addFrame(kid, rows + 1, x, Math.max(w, 0.5), false);
					next.push([kid, rows + 1, x]);
					last = end;
				}
				x = end;
			});
		});
		queue = next;
	}
	return rows + 1;
}

function frameClass(node) {
	if (node.label < 0)
		return "r0";
	return ORIGINS[labels[node.label][2]][0] + labels[node.label][3];
}

function frameElement(d, y) {
	var matching = matches && d.node.label >= 0 && matches[d.node.label];
	var g = el(SVG, "g", { "class": "f" + (d.above ? " above" : "") + (matching ? " match" : ""),
			       "aria-label": labelText(d.node.label) });
	var wide = d.w > 2, fit;

	g.appendChild(el(SVG, "rect", { "class": frameClass(d.node), x: d.x.toFixed(2), y: y,
		width: (wide ? d.w - 0.5 : d.w).toFixed(2), height: ROW - 1, rx: d.w > 6 ? 2 : 0 }));
	if (d.w >= TEXT_MIN) {
		fit = fitLabel(d.node.label, d.w - 2 * PAD);
		if (fit[0])
			g.appendChild(el(SVG, "text", { x: (d.x + PAD).toFixed(2), y: y + 13 }, [fit[0]]));
		if (fit[1])
			g.lastChild.appendChild(el(SVG, "tspan", { "class": "p" }, [fit[1]]));
	}
	g.drawn = d;
	d.g = g;
	return g;
}

function remarkText() {
	var text = data.remarks, all = (state.focus || root()).weight();
	var whole = !state.focus && !state.callers;
	var frames = hidden.frames + (whole ? data.leftOut : 0);
	var weight = hidden.weight + (whole ? data.leftOutWeight : 0);

	if (frames)
		text += " \u00b7 hidden: " + (hidden.unsure ? "" : frames + " ") +
			(frames === 1 ? "frame" : "frames") + " too narrow to draw, " +
			percent(weight, all) + " of the time";
	return text;
}

function layHead(width) {
	remarks.textContent = remarkText();
	resetButton.disabled = !state.focus && !state.pattern;
	callersButton.setAttribute("aria-pressed", String(state.callers));
	head.setAttribute("width", width);
	head.setAttribute("height", Math.ceil(headBox.offsetHeight));
	return Math.ceil(headBox.offsetHeight);
}

/* Places everything and makes the page as high as that; returns the graph's first line. */
function layOut(width) {
	var rows = place(width - 2 * MARGIN), top = layHead(width);
	var height = top + (data.empty ? 3 : rows) * ROW + MARGIN;

	if (document.documentElement === svg) /* the paper covers the window */
		height = Math.max(height, window.innerHeight);
	svg.setAttribute("height", height);
	if (state.flames && document.documentElement === svg)
		top = height - MARGIN - rows * ROW;
	return { rows: rows, top: top };
}

function draw() {
	var width = windowWidth(), at = layOut(width), rows, top, all;

	if (windowWidth() !== width)
		at = layOut(windowWidth());
	rows = at.rows;
	top = at.top;
	hideTip();
	all = document.createDocumentFragment();
	if (data.empty)
		all.appendChild(el(SVG, "text", { id: "empty", x: MARGIN, y: Number(head.getAttribute("height")) + 24 },
				   [data.empty]));
	else
		drawn.forEach(function (d) {
			d.y = top + (state.flames ? rows - 1 - d.row : d.row) * ROW;
			all.appendChild(frameElement(d, d.y));
		});
	graph.textContent = "";
	graph.appendChild(all);
	graph.setAttribute("class", matches ? "searching" : "");
	showCursor(false);
}

function scrollToRoot() {
	window.scrollTo(0, state.flames ? document.documentElement.scrollHeight + 1e6 : 0);
}

/* ---- zoom, order, search ---- */

function zoom(node) {
	state.focus = node === root() ? null : node;
	state.cursor = node;
	draw();
	if (drawn.length * ROW > window.innerHeight)
		revealNode(node);
}

function invert() {
	state.flames = !state.flames;
	draw();
	scrollToRoot();
}

function turnRound() {
	state.callers = !state.callers;
	state.focus = state.cursor = null;
	draw();
	showMatched();
}

/* Without capitals the case does not matter; what is no regular expression is taken as it is. */
function compile(text) {
	var flags = text === text.toLowerCase() ? "iu" : "u";

	searchBox.classList.remove("bad");
	try {
		return new RegExp(text, flags);
	} catch (e) {
		searchBox.classList.add("bad");
		return new RegExp(text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&"), flags);
	}
}

/* Share of all time below the outermost matching frames, and how many labels match. */
function matchedWeight() {
	var weight = 0, i = 1, values = by === "samples" ? total.samples : total.wall;

	while (i < count) {
		if (matches[frameLabel(i)]) {
			weight += values[i];
			i = past[i];
		} else {
			i++;
		}
	}
	return weight;
}

function showMatched() {
	var weight, all = roots.callees.weight();

	if (!matches) {
		matched.textContent = "";
		return;
	}
	weight = matchedWeight();
	matched.textContent = "matched " + percent(weight, all) +
		(by === "wall" ? " (" + timeText(weight) + ")" : "");
}

function search(text) {
	var pattern = text ? compile(text) : null;

	if (!text)
		searchBox.classList.remove("bad");
	state.pattern = pattern;
	matches = pattern && labels.map(function (l, i) { return pattern.test(labelText(i)); });
	showMatched();
	draw();
}

function reset() {
	state.focus = state.cursor = null;
	searchBox.value = "";
	search("");
	searchBox.blur();
}

function openSearch() {
	window.scrollTo(0, 0);
	searchBox.focus();
	searchBox.select();
}

/* ---- what a frame says ---- */

function tipRow(what, part, all, view, text) {
	return html("tr", {}, [html("td", {}, [what]), html("td", {}, [text]),
			       html("td", {}, [percent(part, all)])]
		.concat(state.focus ? [html("td", {}, [percent(part, view)])] : []));
}

function tipRows(node) {
	var all = roots.callees, view = state.focus || all, rows = [];

	rows.push(html("tr", {}, [html("th"), html("th"), html("th", {}, ["of all"])]
		.concat(state.focus ? [html("th", {}, ["of view"])] : [])));
	rows.push(tipRow("wall", node.wall, all.wall, view.wall, timeText(node.wall)));
	if (node.self && by === "wall" && node.frames)
		rows.push(tipRow("wall, itself", node.self, all.wall, view.wall, timeText(node.self)));
	rows.push(tipRow("CPU", node.cpu, all.cpu, view.cpu, timeText(node.cpu)));
	rows.push(tipRow("samples", node.samples, all.samples, view.samples, countText(node.samples)));
	return rows;
}

function fillTip(node) {
	var l = node.label < 0 ? ["all", "", -1] : labels[node.label];

	tipBox.textContent = "";
	tipBox.appendChild(html("b", {}, [l[0]]));
	if (l[1] || l[2] >= 0)
		tipBox.appendChild(html("i", {}, [(l[1] ? l[1] + " \u00b7 " : "") + ORIGINS[l[2]][1]]));
	tipBox.appendChild(html("table", {}, tipRows(node)));
}

/* Beside the point, inside of what is visible. */
function showTip(node, x, y) {
	var box = svg.getBoundingClientRect(), width = box.width;
	var visibleBottom = window.innerHeight - box.top, w, h;

	fillTip(node);
	tipBox.style.maxWidth = Math.min(560, width - 16) + "px";
	tip.setAttribute("x", 0);
	tip.setAttribute("y", 0);
	tip.setAttribute("width", width);
	tip.style.display = "";
	w = tipBox.offsetWidth;
	h = tipBox.offsetHeight;
	tip.setAttribute("width", w);
	tip.setAttribute("height", h);
	tip.setAttribute("x", Math.max(8, Math.min(x + 14, width - w - 8)));
	tip.setAttribute("y", y + 18 + h > visibleBottom ? Math.max(-box.top + 4, y - h - 10) : y + 18);
}

function hideTip() { tip.style.display = "none"; }

function frameOf(event) {
	var g = event.target.closest ? event.target.closest(".f") : null;

	return g && graph.contains(g) ? g.drawn : null;
}

function pointOf(event) {
	var box = svg.getBoundingClientRect();

	return [event.clientX - box.left, event.clientY - box.top];
}

/* ---- keyboard ---- */

function drawnOf(node) {
	return drawn.find(function (d) { return d.node === node; });
}

function revealNode(node) {
	var d = drawnOf(node), box = svg.getBoundingClientRect();

	if (d && (d.y + box.top < 0 || d.y + ROW + box.top > window.innerHeight))
		window.scrollBy(0, d.y + box.top - window.innerHeight / 2);
}

function showCursor(told) {
	var d = state.cursor && drawnOf(state.cursor);

	drawn.forEach(function (o) { if (o.g) o.g.classList.remove("cursor"); });
	if (!d || (!told && document.activeElement !== graph))
		return;
	d.g.classList.add("cursor");
	d.g.parentNode.appendChild(d.g); /* its stroke above its neighbours' */
	if (told) {
		revealNode(d.node);
		showTip(d.node, Math.max(d.x, MARGIN), d.y);
	}
}

function neighbour(step) {
	var d = drawnOf(state.cursor), row;

	row = drawn.filter(function (o) { return o.row === d.row; });
	return row[row.indexOf(d) + step];
}

function moveCursor(key) {
	var out = state.flames ? "ArrowDown" : "ArrowUp", node = state.cursor, d;

	if (!node || !drawnOf(node))
		node = state.focus || root();
	else if (key === out)
		node = node.up || node;
	else if (key === "ArrowUp" || key === "ArrowDown")
		node = node.kids().find(drawnOf) || node;
	else
		node = (d = neighbour(key === "ArrowLeft" ? -1 : 1)) ? d.node : node;
	state.cursor = node;
	showCursor(true);
}

var keys = {
	"/": openSearch, i: invert, c: turnRound, Home: function () { zoom(root()); },
	Backspace: function () { if (state.focus) zoom(state.focus.up); },
};

function onKey(event) {
	var typing = event.target === searchBox, name = event.key;

	if ((event.ctrlKey || event.metaKey) && name.toLowerCase() === "f" && !typing) {
		event.preventDefault();
		openSearch();
	} else if (name === "Escape") {
		reset();
	} else if (typing || event.ctrlKey || event.metaKey || event.altKey || data.empty) {
		return;
	} else if (/^Arrow/.test(name) && document.activeElement === graph) {
		event.preventDefault();
		moveCursor(name);
	} else if (name === "Enter" && document.activeElement === graph && state.cursor) {
		zoom(state.cursor);
		showCursor(true);
	} else if (keys[name]) {
		event.preventDefault();
		keys[name]();
	}
}

/* ---- start ---- */

function listen() {
	var waiting = 0, lastWidth = 0;

	graph.addEventListener("click", function (event) {
		var d = frameOf(event);

		if (d) {
			zoom(d.node);
			hideTip();
		}
	});
	graph.addEventListener("mousemove", function (event) {
		var d = frameOf(event), at = pointOf(event);

		if (d)
			showTip(d.node, at[0], at[1]);
	});
	graph.addEventListener("mouseleave", hideTip);
	graph.addEventListener("blur", function () { showCursor(false); hideTip(); });
	resetButton.addEventListener("click", reset);
	invertButton.addEventListener("click", invert);
	callersButton.addEventListener("click", turnRound);
	searchButton.addEventListener("click", openSearch);
	searchBox.addEventListener("input", function () { search(searchBox.value); });
	window.addEventListener("keydown", onKey);
	window.addEventListener("resize", function () {
		if (waiting || window.innerWidth === lastWidth)
			return;
		waiting = requestAnimationFrame(function () {
			waiting = 0;
			lastWidth = window.innerWidth;
			draw();
		});
	});
}

svg.removeAttribute("viewBox");
svg.style.overflow = "visible"; /* inside of a page, what a frame says may be lower than the graph */
svg.querySelector("#still").remove();
[graph, head, tip].forEach(function (e) { svg.appendChild(e); });
buildLegend();
usePenFont();
listen();
draw();
if (state.flames)
	scrollToRoot();
})();
