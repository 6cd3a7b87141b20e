#pragma once
// The accumulators of a wgmma instruction as text and as operands, eight registers a group.

#define LVSA_WGMMA_G0 "%0,%1,%2,%3,%4,%5,%6,%7"
#define LVSA_WGMMA_G1 "%8,%9,%10,%11,%12,%13,%14,%15"
#define LVSA_WGMMA_G2 "%16,%17,%18,%19,%20,%21,%22,%23"
#define LVSA_WGMMA_G3 "%24,%25,%26,%27,%28,%29,%30,%31"
#define LVSA_WGMMA_G4 "%32,%33,%34,%35,%36,%37,%38,%39"
#define LVSA_WGMMA_G5 "%40,%41,%42,%43,%44,%45,%46,%47"
#define LVSA_WGMMA_G6 "%48,%49,%50,%51,%52,%53,%54,%55"
#define LVSA_WGMMA_G7 "%56,%57,%58,%59,%60,%61,%62,%63"
#define LVSA_WGMMA_G8 "%64,%65,%66,%67,%68,%69,%70,%71"
#define LVSA_WGMMA_G9 "%72,%73,%74,%75,%76,%77,%78,%79"
#define LVSA_WGMMA_G10 "%80,%81,%82,%83,%84,%85,%86,%87"
#define LVSA_WGMMA_D(d, g)                                                                    \
  "+f"((d)[8 * (g)]), "+f"((d)[8 * (g) + 1]), "+f"((d)[8 * (g) + 2]), "+f"((d)[8 * (g) + 3]), \
      "+f"((d)[8 * (g) + 4]), "+f"((d)[8 * (g) + 5]), "+f"((d)[8 * (g) + 6]),                 \
      "+f"((d)[8 * (g) + 7])

// All registers of accumulators of so many.
#define LVSA_WGMMA_ALL_32 LVSA_WGMMA_G0 "," LVSA_WGMMA_G1 "," LVSA_WGMMA_G2 "," LVSA_WGMMA_G3
#define LVSA_WGMMA_OUT_32(d) \
  LVSA_WGMMA_D(d, 0), LVSA_WGMMA_D(d, 1), LVSA_WGMMA_D(d, 2), LVSA_WGMMA_D(d, 3)
#define LVSA_WGMMA_ALL_64 \
  LVSA_WGMMA_ALL_32 "," LVSA_WGMMA_G4 "," LVSA_WGMMA_G5 "," LVSA_WGMMA_G6 "," LVSA_WGMMA_G7
#define LVSA_WGMMA_OUT_64(d)                                                        \
  LVSA_WGMMA_OUT_32(d), LVSA_WGMMA_D(d, 4), LVSA_WGMMA_D(d, 5), LVSA_WGMMA_D(d, 6), \
      LVSA_WGMMA_D(d, 7)
#define LVSA_WGMMA_ALL_72 LVSA_WGMMA_ALL_64 "," LVSA_WGMMA_G8
#define LVSA_WGMMA_OUT_72(d) LVSA_WGMMA_OUT_64(d), LVSA_WGMMA_D(d, 8)
#define LVSA_WGMMA_ALL_80 LVSA_WGMMA_ALL_72 "," LVSA_WGMMA_G9
#define LVSA_WGMMA_OUT_80(d) LVSA_WGMMA_OUT_72(d), LVSA_WGMMA_D(d, 9)
#define LVSA_WGMMA_ALL_88 LVSA_WGMMA_ALL_80 "," LVSA_WGMMA_G10
#define LVSA_WGMMA_OUT_88(d) LVSA_WGMMA_OUT_80(d), LVSA_WGMMA_D(d, 10)
