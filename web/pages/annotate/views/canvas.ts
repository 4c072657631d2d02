// A canvas that is as large as its box, sharp on every screen, and drawn with the others of a frame.

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Frame } from "../watch";

export type Draw = (context: CanvasRenderingContext2D, width: number, height: number) => void;

export function useCanvas(canvas: RefObject<HTMLCanvasElement>, frame: Frame, draw: Draw): void {
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const paint = () => {
      const { clientWidth: width, clientHeight: height } = element;
      const ratio = devicePixelRatio;
      if (!width || !height) return;
      const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (element.width !== across || element.height !== down) {
        element.width = across;
        element.height = down;
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      draw(context, width, height);
    };
    const stop = frame.onDraw(paint);
    const sizes = new ResizeObserver(() => frame.ask());
    sizes.observe(element);
    return () => {
      stop();
      sizes.disconnect();
    };
  }, [canvas, frame, draw]);
}
