/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot sector that firmware loads from an emulated disk, or with NETWORK from the
 * network. It counts its boots in the disk's second sector, or in the CMOS, and prints
 * on the serial port for each, on a line:
 *
 *   boot NUMBER, disks and NICs that the firmware has, those after the unplug
 *
 * Then it resets the machine, each time in another way. The fourth time it waits to be
 * reset, and the fifth is the last.
 */

        .code16
        .globl _start
_start:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        cld
        movb    %dl, drive

        /* Count this boot, by way of the firmware. */
        movb    $0x02, %ah
        call    counter
        incb    buffer
        movb    $0x03, %ah
        call    counter

        movw    $boot, %si
        call    print
        movb    buffer, %al
        call    print_digit
        movw    $disks, %si
        call    print
        movb    0x475, %al      /* the BIOS's number of disks */
        call    print_digit
        call    print_nics

        /* The unplug protocol: twice, and not in the usual order. */
        movw    $0x10, %dx
        inw     %dx, %ax
        cmpw    $0x49d2, %ax
        jne     failed
        movw    $2, %ax         /* NICs */
        outw    %ax, %dx
        movw    $4, %ax         /* disks, but for the first one */
        outw    %ax, %dx
        movw    $1, %ax         /* disks */
        outw    %ax, %dx
        movw    $3, %ax
        outw    %ax, %dx

        movw    $then, %si
        call    print
        movw    $0x1f6, %dx     /* the first IDE channel's master ... */
        movb    $0xa0, %al
        outb    %al, %dx
        incw    %dx
        inb     %dx, %al        /* ... has a status, or 0 */
        testb   %al, %al
        setnz   %al
        call    print_digit
        call    print_nics
        movw    $end, %si
        call    print

        movb    buffer, %al
        cmpb    $1, %al
        je      by_chipset
        cmpb    $2, %al
        je      by_keyboard_controller
        cmpb    $3, %al
        je      by_triple_fault
        jmp     wait

by_chipset:
        movw    $0xcf9, %dx
        movb    $6, %al
        outb    %al, %dx
        jmp     wait
by_keyboard_controller:
        movb    $0xfe, %al
        outb    %al, $0x64
        jmp     wait
by_triple_fault:
        lidt    no_idt
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        int3
failed:
        movw    $failure, %si
        call    print
wait:
        hlt
        jmp     wait

#ifdef NETWORK
/* Read (%ah 2) or write (3) a byte of the CMOS that firmware does not use. */
counter:
        movb    $0x70, %al
        outb    %al, $0x70
        cmpb    $2, %ah
        jne     1f
        inb     $0x71, %al
        movb    %al, buffer
        ret
1:      movb    buffer, %al
        outb    %al, $0x71
        ret
#else
/* Read (%ah 2) or write (3) the second sector. */
counter:
        movb    $1, %al
        movw    $2, %cx
        movb    $0, %dh
        movb    drive, %dl
        movw    $buffer, %bx
        int     $0x13
        jc      failed
        ret
#endif

/* How many devices with a network card's class are on PCI bus 0. */
print_nics:
        movw    $nics, %si
        call    print
        xorw    %bp, %bp
        movl    $0x80000008, %ebx
1:      movl    %ebx, %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        shrl    $16, %eax
        cmpw    $0x0200, %ax
        jne     2f
        incw    %bp
2:      addl    $0x800, %ebx
        cmpl    $0x80010008, %ebx
        jb      1b
        movw    %bp, %ax
        /* fall through */
print_digit:
        addb    $'0', %al
print_byte:
        pushw   %dx
        movw    $0x3f8, %dx
        outb    %al, %dx
        popw    %dx
        ret
print:
        lodsb
        testb   %al, %al
        jz      3f
        call    print_byte
        jmp     print
3:      ret

boot:    .asciz "boot "
disks:   .asciz ": disks "
nics:    .asciz " NICs "
then:    .asciz ", then disks "
failure: .asciz "failed"
end:     .asciz "\n"
drive:   .byte 0
no_idt:  .word 0, 0, 0

        .org    510
        .word   0xaa55
        .set    buffer, 0x8000
