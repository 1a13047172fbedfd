// SPDX-License-Identifier: MIT
// browser.js FOLDER BROWSER SPEEDSCOPE: opens the files that tests/live/browser made and asserts
// through the DOM what a person would look at. Prints TAP. SHOTS=folder keeps screenshots.
"use strict";
const fs = require("fs"), http = require("http"), path = require("path");
const { chromium } = require("playwright-core");
const [folder, executablePath, speedscope] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader"];
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css",
	".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml" };
let count = 0, failed = 0, browser, port;

function ok(good, what, got) {
	count++;
	failed += !good;
	console.log(`${good ? "ok" : "not ok"} ${count} - ${what}`);
	if (!good && got !== undefined)
		console.log(`#  got: ${JSON.stringify(got)}`);
}

const is = (got, want, what) => ok(got === want, what, got);

function serve(request, response) {
	const name = decodeURIComponent(request.url.split("?")[0]);
	const file = name.startsWith("/profiles/") ? path.join(folder, name.slice(10))
		: path.join(speedscope, name === "/" ? "index.html" : name);

	fs.readFile(file, (error, data) => {
		response.writeHead(error ? 404 : 200, { "content-type": types[path.extname(file)] || "application/octet-stream" });
		response.end(data);
	});
}

// A page that remembers what went wrong and what it asked the network for.
async function open(url, options) {
	const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
	const page = await context.newPage();

	page.wrong = [];
	page.asked = [];
	page.on("pageerror", e => page.wrong.push(e.message));
	page.on("dialog", d => { page.wrong.push(d.message()); d.dismiss(); });
	page.on("console", m => {
		// The software renderer of a machine without a graphics card speaks of itself.
		if (["warning", "error"].includes(m.type()) && !/GL Driver Message|GroupMarkerNotSet/.test(m.text()))
			page.wrong.push(m.text());
	});
	page.on("request", r => page.asked.push(r.url()));
	await page.goto(url);
	return page;
}

const graph = (kind, options) => open(`file://${folder}/${kind}.svg`, options);
const frames = page => page.$$eval("#graph .f", all => all.map(f => {
	const r = f.querySelector("rect"), t = f.querySelector("text");

	return { label: f.getAttribute("aria-label"), x: +r.getAttribute("x"), y: +r.getAttribute("y"),
		width: +r.getAttribute("width"), text: t ? t.textContent : "",
		textWidth: t ? t.getBBox().width : 0, match: f.classList.contains("match") };
}));
const find = async (page, label) => (await frames(page)).find(f => f.label === label);
const click = (page, label) => page.locator(`#graph .f[aria-label="${label}"] rect`).first().click();
const text = (page, selector) => page.locator(selector).first().textContent();
const shot = (page, name) => process.env.SHOTS && page.screenshot({ path: path.join(process.env.SHOTS, name + ".png") });

async function testGraph() {
	const page = await graph("small");
	const all = await frames(page);
	const serve12 = all.find(f => f.label === "serve (app.py:12)");
	const query = all.find(f => f.label.startsWith("Session.query"));

	is(all.length, 9, "all frames are drawn");
	is(await page.title(), "python app.py --name 'a & b' · PID 4242 · Python 3.13.0 · 60 ms at 100 Hz", "the title says what was recorded");
	ok(/6 samples · 2 dropped \(torn 2\) · 1 repaired · nonblocking/.test(await text(page, "#remarks")), "remarks", await text(page, "#remarks"));
	ok(Math.abs(serve12.width / all[0].width - 0.5) < 0.01, "widths are wall time", [serve12, all[0]]);
	ok(query.y > serve12.y, "root on top");
	ok(all.some(f => f.label === "a;b \"c\" & 'd' ]]></script> \ufffd🔥 (<string>:1)"), "a name full of mischief is shown as it is");
	is(await text(page, ".legend"), "applicationlibrarystandard library", "legend");
	await page.locator("#graph .f[aria-label='serve (app.py:12)'] rect").hover();
	const tip = await text(page, "#tip");
	for (const part of ["serve", "app.py:12 · application", "wall40.0 ms50.0 %", "CPU29.0 ms42.6 %", "samples350.0 %"])
		ok(tip.includes(part), `hovering says ${part}`, tip);
	is(page.asked.length, 1, "nothing is fetched but the file", page.asked);
	is(page.wrong.join(), "", "no errors");
}

async function testNative() {
	const page = await graph("native");

	is(await text(page, ".legend"), "applicationnativekernelthread, mark", "native code and the kernel have their own colours");
	for (const label of ["list_sort_impl (listobject.c:2391)", "0x1a2b0 (libblas.so.3)", "[no unwind info]",
			     "vfs_read ([kernel])", "[kernel]"])
		ok(await find(page, label), `${label} is drawn`);
	await page.locator("#graph .f[aria-label='0x1a2b0 (libblas.so.3)'] rect").hover();
	ok((await text(page, "#tip")).includes("libblas.so.3 \u00b7 native"), "hovering says the library", await text(page, "#tip"));
	is(page.wrong.join(), "", "native: no errors");
	await shot(page, "native");
	await page.context().close();
}

async function testZoom() {
	const page = await graph("small");
	const before = await find(page, "loads (json/__init__.py:346)");

	ok(await page.locator("#reset").isDisabled(), "nothing to reset yet");
	await click(page, "Cart.get (shop/cart.py:25)");
	const after = await find(page, "loads (json/__init__.py:346)");
	ok(after.width > 2 * before.width, "a click zooms", [before, after]);
	is((await frames(page)).length, 4, "only the way there and what is inside is left");
	ok(await find(page, "serve (app.py:12)"), "the way there can be clicked");
	await page.locator("#reset").click();
	is((await find(page, "loads (json/__init__.py:346)")).width, before.width, "Reset shows all again");
	await click(page, "Cart.get (shop/cart.py:25)");
	await page.keyboard.press("Escape");
	is((await frames(page)).length, 9, "so does Esc");
}

async function testSearch() {
	const page = await graph("small");
	const matches = async () => (await frames(page)).filter(f => f.match).map(f => f.label).join();

	await page.keyboard.press("Control+f");
	await page.keyboard.type("^cart|LOADS".toLowerCase());
	is(await matches(), "Cart.get (shop/cart.py:24),Cart.get (shop/cart.py:25),loads (json/__init__.py:346)", "Ctrl-F searches by regular expression");
	is(await text(page, "#matched"), "matched 50.0 % (40.0 ms)", "with the matched share, nothing counted twice");
	await page.keyboard.press("Escape");
	is(await matches(), "", "Esc ends the search");
	is(await text(page, "#matched"), "", "and its share");
	await page.locator("#find").click();
	await page.keyboard.type("Serve");
	is(await matches(), "", "with capitals the case counts");
	await page.locator("#search").fill("b \"c\" & 'd' ]");
	is(await text(page, "#matched"), "matched 37.5 % (30.0 ms)", "what is no regular expression is taken as it is");
	await page.locator("#search").fill("[\u{1F525}]");
	is(await text(page, "#matched"), "matched 37.5 % (30.0 ms)", "an emoji is one character");
	is(page.wrong.join(), "", "no errors");
}

async function testOrders() {
	const page = await graph("small");

	await page.locator("#invert").click();
	ok((await find(page, "Session.query (orm/session.py:310)")).y < (await find(page, "serve (app.py:12)")).y, "Invert puts the root at the bottom");
	await page.locator("#invert").click();
	ok((await find(page, "Session.query (orm/session.py:310)")).y > (await find(page, "serve (app.py:12)")).y, "and on top again");
	await page.locator("#callers").click();
	const loads = await find(page, "loads (json/__init__.py:346)"), caller = await find(page, "Cart.get (shop/cart.py:25)");
	ok(loads.y < caller.y && loads.width === caller.width, "Callers shows who called what ran", [loads, caller]);
	await click(page, "loads (json/__init__.py:346)");
	is((await frames(page)).length, 4, "and zooms");
	await page.keyboard.press("Escape");
	await page.locator("#callers").click();
	is((await frames(page)).length, 9, "and back");
	is(page.wrong.join(), "", "no errors");
}

async function testKeyboard() {
	const page = await graph("small");
	const cursor = () => page.$eval("#graph .f.cursor", f => f.getAttribute("aria-label")).catch(() => "");

	await page.locator("#graph").focus();
	await page.keyboard.press("ArrowDown");
	is(await cursor(), "all", "the first arrow shows where one is");
	await page.keyboard.press("ArrowDown");
	is(await cursor(), "serve (app.py:12)", "down goes inside");
	await page.keyboard.press("ArrowRight");
	is(await cursor(), "h\u00e9llo.<locals>.<lambda> (\u044f.py:7)", "right goes to the neighbour");
	ok((await text(page, "#tip")).includes("37.5 %"), "and says what hovering says");
	await page.keyboard.press("Enter");
	is((await frames(page)).length, 3, "Enter zooms");
	await page.keyboard.press("Backspace");
	is((await frames(page)).length, 9, "Backspace zooms out");
	await page.keyboard.press("/");
	is(await page.evaluate(() => document.activeElement.id), "search", "/ goes to the search");
}

async function testWidths() {
	for (const width of [400, 1200, 2000]) {
		const page = await graph("web", { viewport: { width, height: 800 } });
		const all = await frames(page), right = Math.max(...all.map(f => f.x + f.width));

		ok(right <= width && right > width - 40, `${width} px: as wide as the window`, right);
		ok(all.every(f => f.textWidth <= f.width), `${width} px: texts stay inside of their frames`, all.find(f => f.textWidth > f.width));
		ok(all.filter(f => f.text).length > 10, `${width} px: many can be read`);
		await shot(page, `web-${width}`);
		await page.setViewportSize({ width: 700, height: 800 });
		await page.waitForFunction(() => document.querySelector("#graph rect").getBBox().width < 700 &&
			document.querySelector("#graph rect").getBBox().width > 600);
		ok(true, `${width} px: laid out anew when the window changes`);
		await page.context().close();
	}
}

async function testHard() {
	for (const [kind, most] of [["deep", 20000], ["wide", 20000]]) {
		const page = await graph(kind), all = await frames(page);

		ok(all.length > 1 && all.length < most, `${kind}: ${all.length} frames are drawn`);
		ok(/hidden: \d+ frames too narrow to draw, [\d.]+ % of the time/.test(await text(page, "#remarks")), `${kind}: says what is hidden`, await text(page, "#remarks"));
		is(page.wrong.join(), "", `${kind}: no errors`);
		if (kind === "wide") {
			await click(page, "group_3 (functools.py:9)");
			ok((await frames(page)).length > 1000, "wide: zooming shows what was hidden");
		}
	}
	const page = await graph("empty");
	ok((await text(page, "#empty")).includes("--idle"), "empty: says why, and what to do");
	is(page.wrong.join(), "", "empty: no errors");
}

async function testStill() {
	for (const kind of ["small", "empty"]) {
		const page = await graph(kind, { javaScriptEnabled: false });
		const svg = await page.content();

		ok(/<g id="still">/.test(svg), `${kind}: drawn without JavaScript too`);
		await shot(page, `${kind}-still`);
		await page.context().close();
	}
}

async function testDark() {
	const page = await graph("web", { colorScheme: "dark" });
	const fill = await page.$eval("#paper", p => getComputedStyle(p).fill);

	ok(/^rgb\((1?\d|2\d), /.test(fill), "dark where the system is dark", fill);
	await shot(page, "web-dark");
}

async function testSpeedscope() {
	for (const kind of ["small", "native", "empty", "web", "wide"]) {
		const page = await open(`http://127.0.0.1:${port}/#profileURL=/profiles/${kind}.speedscope.json`);

		await page.waitForFunction(() => / - speedscope$/.test(document.title), null, { timeout: 20000 });
		ok((await page.title()).startsWith("python app.py"), `speedscope opens ${kind}`);
		ok(await page.locator("canvas").count() > 0, `speedscope draws ${kind}`);
		is(page.wrong.join(), "", `speedscope has nothing to complain of in ${kind}`);
		await page.context().close();
	}
}

async function main() {
	const server = http.createServer(serve);

	await new Promise(done => server.listen(0, "127.0.0.1", done));
	port = server.address().port;
	browser = await chromium.launch({ executablePath, args: flags });
	for (const test of [testGraph, testNative, testZoom, testSearch, testOrders, testKeyboard, testWidths, testHard, testStill, testDark, testSpeedscope])
		await test().catch(error => ok(false, `${test.name} runs to its end: ${String(error).split("\n")[0]}`));
	await browser.close();
	server.close();
	console.log(`1..${count}`);
	process.exitCode = failed ? 1 : 0;
}

main();
