/* The kernel's DMA heaps, which Debian leaves out for arm64, as one module: build.sh takes their
 * own starts away. */
#include <linux/module.h>
#include "dma-heap.c"
#include "system_heap.c"

static int __init heap_start(void)
{
	return dma_heap_init() ?: system_heap_create();
}
module_init(heap_start);
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
