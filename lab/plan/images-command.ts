import type { Command } from "commander";
import { readStack } from "../stack.ts";

/** Adds `images` to the command line. */
export function registerImages(program: Command): void {
  program
    .command("images")
    .description("list the images that the pods need, to mirror or to load them where no registry can be reached")
    .option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml", "local")
    .option("--json", "print one JSON document")
    .action(async (flags: { readonly stack: string; readonly json?: true }) => {
      const stack = await readStack(flags.stack);
      const { planStack } = await import("./plan.ts");
      const { imagesOf } = await import("./images.ts");
      const images = imagesOf((await planStack(stack)).resources);
      const lines = images.map(({ container, image }) => `${container} ${image}`);
      process.stdout.write(flags.json ? `${JSON.stringify(images, null, 2)}\n` : `${lines.join("\n")}\n`);
    });
}
