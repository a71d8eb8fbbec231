// A decoded picture on a canvas, turned as its header says.

/** The canvas' transformation for each orientation of Exif, for a picture of width w and height h. */
const turns = {
  1: () => [1, 0, 0, 1, 0, 0],
  2: (w) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (w, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

/**
 * Draws a picture at its own size.
 *
 * @param {HTMLCanvasElement} canvas Takes the picture's size.
 * @param {ImageData} image
 * @param {number} [orientation] 1 to 8 as in Exif.
 */
export function draw(canvas, image, orientation = 1) {
  const { width, height } = image;
  const [across, down] = orientation > 4 ? [height, width] : [width, height];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  const context = canvas.getContext("2d");
  if (orientation === 1) return context.putImageData(image, 0, 0);
  const flat = new OffscreenCanvas(width, height);
  flat.getContext("2d").putImageData(image, 0, 0);
  context.setTransform(...turns[orientation](width, height));
  context.drawImage(flat, 0, 0);
  context.resetTransform();
}
