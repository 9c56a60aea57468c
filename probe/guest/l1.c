/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1, a hypervisor as small as can be. Without nested paging it does what Intel's manual calls a
 * virtual TLB (volume 3C, 32.3): a page fault of L2 fills an entry of the shadow tables from L2's
 * own, or is L2's; INVLPG empties one, and a load of CR3 all. With nested paging it fills an entry
 * at a violation. It keeps no statistics and has no policy. */

#include <stdbool.h>

#include "enter.h"
#include "failure.h"
#include "guest.h"
#include "l1.h"
#include "l2.h"
#include "vendor.h"

#define PRESENT 1U

static void load_tables(uint64_t cr3, uint64_t idt) {
        const struct __attribute__((packed)) {
                uint16_t limit;
                uint64_t base;
        } descriptor = {IDT_SIZE - 1, idt};

        __asm__ volatile("mov %0, %%cr3\n\tlidt %1" : : "r"(cr3), "m"(descriptor) : "memory");
}

/* An entry that is empty already is not written: it may be one that L0 has write-protected. */
static void zap(uint64_t tables, uint64_t page) {
        if (entries(tables)[page] != 0)
                entries(tables)[page] = 0;
}

static void zap_all(uint64_t tables) {
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                zap(tables, page);
}

/* The number of the window's page; L2 uses no other that comes and goes. */
static uint64_t page_of(uint64_t address) {
        const uint64_t page = (address - WINDOW) >> 12;

        if (page >= WINDOW_PAGES)
                fail(FAILURE_EXIT, order->code, order->info[0], order->info[1], order->info[2]);
        return page;
}

static void skip(const Exit *exit) {
        if (order->vmx)
                vmx_skip(exit);
        else
                svm_skip(exit);
}

static void handle_page_fault(const Exit *exit) {
        const uint64_t page = page_of(exit->address), entry = entries(L2_TABLES)[page];

        if (entry & PRESENT)
                entries(SHADOW_TABLES)[page] = entry;
        else if (order->vmx)
                vmx_inject_page_fault(exit);
        else
                svm_inject_page_fault(exit);
}

static void handle_violation(const Exit *exit) {
        const uint64_t page = page_of(exit->address);

        entries(NESTED_TABLES)[page] = (WINDOW + (page << 12)) | (order->vmx ? 0x37 : 0x67);
}

/* An agreement with l2.c: the address is in rdi. */
static void handle_invalidate(const Exit *exit) {
        zap(SHADOW_TABLES, page_of(l2_registers.rdi));
        if (!order->vmx)
                svm_flush();
        skip(exit);
}

static void handle_load_cr3(const Exit *exit) {
        zap_all(SHADOW_TABLES);
        if (!order->vmx)
                svm_flush();
        skip(exit);
}

/* Until L2 calls. */
static void run_l2(void) {
        for (;;) {
                const Exit exit = order->vmx ? vmx_run() : svm_run();
                switch (exit.kind) {
                case EXIT_CALL:
                        return;
                case EXIT_SKIP:
                        skip(&exit);
                        break;
                case EXIT_PAGE_FAULT:
                        handle_page_fault(&exit);
                        break;
                case EXIT_LOAD_CR3:
                        handle_load_cr3(&exit);
                        break;
                case EXIT_INVALIDATE:
                        handle_invalidate(&exit);
                        break;
                case EXIT_VIOLATION:
                        handle_violation(&exit);
                        break;
                default:
                        fail(FAILURE_EXIT, order->code, order->info[0], order->info[1], order->info[2]);
                }
        }
}

/* The window as the operation wants to find it. */
static void prepare(void) {
        const bool mapped = order->operation == OPERATION_TOUCH;

        zap_all(SHADOW_TABLES);
        zap_all(NESTED_TABLES);
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                entries(L2_TABLES)[page] = mapped ? (WINDOW + (page << 12)) | 0x63 : 0;
}

static void measure_alone(void) {
        load_tables(L2_TABLES, L2_IDT);
        out(PORT_BEGIN);
        l2_operation();
        out(PORT_DONE);
        load_tables(L1_PML4, L1_IDT);
}

/* Entries have been taken away: the hardware must not know them any more. */
static void restart(void) {
        if (!order->vmx) {
                svm_restart();
                svm_flush();
                return;
        }
        vmx_restart();
        if (order->way == WAY_NESTED)
                vmx_flush();
}

static void measure(void) {
        restart();
        out(PORT_BEGIN);
        run_l2();
        out(PORT_DONE);
}

/* So that L0 has all of the window in L1's own tables. */
static void warm_up(void) {
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                *(volatile uint64_t *) (WINDOW + (page << 12)) = page;
}

void l1_main(void) {
        warm_up();
        if (order->vmx && order->way != WAY_ALONE)
                vmx_begin();
        for (;;) {
                out(PORT_READY);
                prepare();
                if (order->way == WAY_ALONE)
                        measure_alone();
                else
                        measure();
        }
}
