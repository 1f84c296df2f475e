"""Inputs that once brought an untyped exception out of a table decoder: each is a fault or an InputError now."""

from __future__ import annotations

import base64
import contextlib
import zlib

import pytest

from keepclear.errors import InputError
from keepclear.feeds.formats import DecoderOptions, make_decoder

CRASHES = {
    # 1,318 bytes whose index promises a hundred thousand million rows: reading them took all of the memory.
    "parquet-f24000a50303": (
        "c-obe&2AD=6vxjDFd|_=8}DQ$VZoxE)M#s|X``lAE>kQ-P@J?viAgiSblS+50~Hr8y696F-@uJ=<&GC{>86PbAHYR-Zkp8lF*6{="
        "rreNw&pr1)|KFK=G8D0qL_w55b9u7BEI@1>08;1Mr-O@&!65MY4n}}xk$jh&$B=}ixDqA;s=zd2S}eoDgzU@=iEbuDG6w}AAWk5W"
        "kxQ}V_-kqsiJs(AZbY=4G@iX4X@isC$^S^?#EUkDq<^v#NVkyUks@;fIWXx|9cQe;f>2ci^Rk2bdKDC@TRX6tCJF<J%!`WDJ8W8e"
        "UB0=|FnfD-%l3Bd7T-mg&~$98HxKzZag>8<T+M3`M-g=uq?qa%AyE#>-v#-Hpk=l2bWK$0O8^pqOfj;o-<DJjf<!S2@`@ZGeG;{w"
        "!gOuCE{k8m2<t4MeF;q0$g5dV{{q<sGt>w9M9{v4w3E<iJ1_Z=E_hDzuaJCx`seIe0yVBgv0=O@J>soaev9|$=-X+G@k`9dGmQH<"
        "ZR4jH+gP_*E=>dl8t543SYo)kkLqt|RH4%*v&ztEzexS5WQQfQzMhXX_0JjywPw9h=YAR2uT4v1srO8}JLF;Cs=D>?sJvn{Dt*1="
        ">UI2ln?w(237Z)o!t3FqMw8v$vaw&;dey>(ysOVq(GGoY@<^8611r{tx_&wy^P{Dum(5bLQNCaB-YZA*9F3{vV^9(u(|LPj^%iTL"
        "&Z6l!?SA5&<#Z3*t;EXO((+PLrQeYMgO34#BKe2>3wKBE&j"
    ),
    "arrow-28adaf2dd569": (
        "c-oy&I|{-;5PeBDF@`Nt1hKHNw6w6-"
        "(gWCsh(QEDpea3vC$O;a6rRE32<y!5M#F+4KA4@nnYWXdiBd|%9*}~OKq5kjn4SopAP!<Nox+|b&J+uZk>y94Ll;7x)3Y^3L{Sy{"
        "Wm$1e==#NI1J-"
        "sM+7`unx6K#j5+|+kasQ?*Dy_X)ZHkOMM$}{1sr@E%x9@sdZOZ&$7~hF>#|Mp41KLMswGth>5vivl5ZcESH4@@dZ-"
        ";kwh1sQ#H`@4&)XAUfeWzdZ+UL;e4`2QbCN?*H35Vkk&Z8f*U*60ZYvMKL6myeR!2b|<0$Q^%zW"
    ),
    # Looking at one of its columns' metadata ended the whole process inside Arrow.
    "parquet-14fa12ba6e89": (
        "c$}4#-D(p-6vt;a-8C*j(y}w`!d~RU4iWlc3n^8!WU`G(Fx9v;tqnq1lkK*cFE^`^Uil2(`363Ocp)NQc`5h~K7xodvztv#79odl=Iog"
        ">|KFKCWE<4pLQ5!%v^tUySOFky0%5fx0!Typ8gp5sAjQ<vlbvaV)qFyBd6_Nh%@p%;6G9avBlb9A1>t$bUU3>>kWa`8#PyuSyau6`L@5"
        "3~{7DlDVrLpfgqdstK}9zv1UU=YhBGU_1M<+(p)-Hjcvb+qGHRc@JqM)$QdcGYTGt6qJFYi*8uTYmtTedjxu+w5GHgo;9N%+;RZ!;_!<"
        "u0lbplMJ8U>(ajaUdtSi_$n{tC%1NiQ}rV~yPqAPF#+Wy`%=ia}JBZU0LOn-rvv5PyN>4<z5=VxvoB0d0mAy@D&K&nfaQwb%^*kIKX-@"
        "qz`)$Cu=-Onxj~o#vbj8^S~ge~__8()gPU3{%fg+kSj}H=MNoOWNc%_DYn}Cp5H&l#Xf1qYo(csO5=Vi4`31z@oG!64Nz0YQ5l5i@SXx"
        "Rp#!j!S#7bQzWZ#eP|`FU$xKMy-v3i>XjqC0dGyD-iXqZDNk61yH2GWw2tmvvijqw-lC5VS+vVr*e}PBu%FP{JUM#4T{vr1j{5YV9@W="
        ")QIp@B9jWs7AexP#k)A~p^-iAJp<alr@s>k0<&yV-o*O#;%U5o&-X0Fu9p4{}bFW>0bTR1Xws$seZ)_R-FBJd4d-joPu#ezhYC++{"
    ),
    "parquet-6869a8bc1cd4": (
        "c-"
        "oaz&2G~`5FR^@2~iGd#agzMLk_J~BwCuHR)9*$#0^bE0>NrY8X;9q;<^?2BS{Gd4n6cK5D&qThv3Ksi31P7fd}Bg{@6|$0%}Lr&g"
        "{(R@0;C`T|qlT6p|)OCF)=iAh`_y+28x$kUH)OkVT^1q4gwDiJH=5L4`#EtHH{g?7{+#Zl-"
        "0rDv}hD=O|GtX1O~rX6Gr1iXTy|P@2tNO=(9c!Q+1^(Mk~QOq4EV=P2DGdY}|vl4!wUOJi1J3s$6tE;*MNWF<l*<JBhU>acm@b{r"
        "A|5?_{eb#&TskA`A%qwS22TCNxDdR?(gaG*2r+|e?WQj}3sjFeF_Aw}ZGCa6gxAR@A+XkR4lt7I0;*!6~JutNZmfi6kvwr{J32?|"
        "9_3k6M1DSed9@6z?gcvUTN1yfqTBIc*a^#=KWtweZ%{DQgEd+kCpKS#}r==3=M;-OOrn6w{JO)+EIxe7)~PoQl-uRau`)_=-"
        "(nT@?1BECRjPZ7tM^Y96xhnB~4ISMGVz(OqY#KilrTCZ7DXUi_9%CqIT!uT2FfF}zfURaLt7wnT}r`2u=zP!)ZW3BPjI}SaZ=wV3"
        "J*n4nR+pyd9u~qf)7Czgj(S6p!Zax$d{RnHa<nXX&AJ_L@cClRY@kItYVCSZ<6xcoRW<yb*&%zl#)>>}esb<=>d*$F<MV1%R$S5C"
        "yp6)w?H)rl>wb}2lI)g!PoPO&LhNr!5dSh#CeJx|KZzz1=Lj<5g|B!zGqC4ow"
    ),
    "parquet-6dc2c3c34c2b": (
        "c-oaz&2G~`5FR^@2~iGd#agzMLk_Je5-"
        "m+pD?p`Wl7=QCfnc>HjgTrQaovjik)(tJhaUPAh=<_FLvZ9$i38j@@BkdxAKM9OirSI2GduJ7`(}4!m(fZQg(S&Bkvf<Mh;ITw`p"
        "@n;QpY_3GEcO-v>qoaQ4@N^uiOp;w{z5BDaf+AV3?bu(aoexS4EOS@(d+vg*11kh4d^XQSl;*6-"
        "v|Dt0`>>C3td~60P{r)>!GE><pz_ME8}V3lc5-WJ`ToV*{3?x-"
        "Qul8I0HKpsRz%k<+$G1W0sI*45#0+c_AB&5f2lJZL(uzw36yF2;d&-"
        "*twIP)txpO)(Ni(S!tv8tb6O4WEd}nxcJ`v~QA`HzN~69FObLAsXxuKxCjxoVv|Bs$qgc5tBlGlM_mxWb?apy)j-"
        "@OI*Q(*6)z{Idr{2{$DE=Tp+(-F7-"
        "h>lguw+^DI0$&I>$r3O<weBdjTAL_1Z%Na!)NtQVC>V$}LC`5v>8n?b~vDC`;H2s17|MRYOi@?3@jN-"
        "W4C7I<Rpy;rkuSX5)nHmAz5<*>~78Dx(q^8sF1hVkdEqei>gY6`xb$Jb@8@zi?`-5={=Kvmy)cv4-"
        "nTD4KO;^DLSe3wQKSPR>^Kt%K-tih6l{i=0X+j-T&QqjW~7-"
        ")~3o4%4~_rRMCL_NMNPVuqUGOKna)vDev`R6LIypTpl`55$M&+flHafZu{UT@j%_q(IyJEuQ5?sk%E8!M|TDT94O!2=&d0A>1z{0"
        "k$#=fn"
    ),
    "parquet-dad34e1b474a": (
        "c-"
        "oaz&2G~`5MDcu2~iGd#ag!HLk_J~BwCuHMu1Am#tltG0>NrY8X;9q;<^?2!$}E;9(w3QAmAZ5@(>)kAaURUIPd@nv9oJCAq}V*Sv"
        "#{cpTBQ*M|Oo+X)NIsUMf+C77<ErA%wEO_P!G8n8ye&V&xXCC$WrWU5y15h&Wb3D>JeS3pBc(66q=lLPVUQM6H-"
        "*?!1_trNk?KM6q0HI(s#xZLWkK{!58gf@piJ^jCI<(haNzO7SIu7Hn7=(;AuID?&pR?8^+=i%q1;gXXc*v2hIH__C<V!;_A4IN+O"
        "WZTsx)d&doSz3yQPb_oWwJ=Ym7qmoV;6-"
        "m>zl7Vy_*EW%y)B++bDw6V9P`(I8!HCT_L=6ssu!!iAq;Bh`tQkn6h)E&Z<Ph4LQ2HPm--P+bcvUTa1ru67BgV(be1rVIRwBGWcE"
        "L>QOt}z@Pf_C{s%KC*&PzOW3IUVyJ*r4XOgWd4rmG2JSx>9?`KZ+&;%%^zn<IogBitSnG9o#bJR-y;rpt0U3MfNh5>jM|vG-"
        "p!UqV!eWrtDaVL7S*KS1_bvJm3A<$%9n9XC6zc8l}neZC&F#!_z>^kA$<LaN5@z0=x;)vk}ss*g9xlRX;Ug%)=5p$PAXTN9FlgPL"
        "_z-"
        "+kUC<&uvt0%#x3O<yU%J+Nj&QJ>EwQ+&``Zr!e?+qFC8;9Nz>b7=yU50IMb+uo~FXSmwz_g8Jt>y1*c9dB^b>!vm`YwK%i4Zfl9L"
        "GL06Rp=k`5A}rVJ^"
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_broken_table_is_refused_and_not_a_crash(name: str) -> None:
    data = zlib.decompress(base64.b85decode(CRASHES[name]))
    decoder = make_decoder(name.partition("-")[0], DecoderOptions())
    reports = 0
    with contextlib.suppress(InputError):
        for batch in (decoder.decode(data, 0.0), decoder.finish()):
            reports += len(batch)
            assert all(-1 <= code < len(batch.target.names) for code in batch.target.codes.tolist())
    assert reports < 1000
