"""Takes out of a farmer's or commissioner's words what tells who or where somebody is.

What has a shape goes: numbers to call, cards, plates, doors, chat names, and names where people
usually say them. In doubt it goes; what no rule can see is left to whoever edits the draft.
"""

from __future__ import annotations

import re

HIDDEN = "【已隐去】"
# The commonest two hundred of 《百家姓》, those of two characters first.
_SURNAME = (
    "(?:欧阳|上官|司马|诸葛|东方|夏侯|皇甫|尉迟|公孙|慕容|司徒|令狐|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜"
    "叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎"
    "贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿"
    "关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华"
    "喻祁房滕屈饶解牟艾尤阳穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全"
    "佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝]"
    ")"
)
_HAN = "[\u4e00-\u9fff]"
_GIVEN = "[^\\W\\da-zA-Z_镇街乡村桥坝坡山]"
# A surname and more that is no name of a person.
_NO_NAME = (
    "(?!马[蜂上]|黄[蜂粉叶果色了得]|白[粉蚁色点]|高[山产温坡]|石[灰硫榴]|[花胡麻]椒|金银|牛[粪棚]|"
    "[水向]|安全|常[年见]|成[都熟本活]|连[片作续到]|和|明[天年显]|全[部区身年]|解[决放]|应该|查|管[理护]|"
    "甘[蔗橘]|农[药户技业民]|米[粒饭]|麦子|文[件章]|方[法便]|任[何务]|江[边河]|路[边上口]|单[株位个]|"
    "苗[子木床]|谷子|万一|毛[病虫]|龙[集头]|施[肥药])"
)
_TITLE = (
    "(?:老师|师傅|老板|医生|主任|书记|站长|队长|组长|村长|支书|经理|社长|技术员|特派员|"
    "大哥|大姐|大爷|大妈|大叔|大娘|大伯|嬢嬢|嬢|叔叔|伯伯|哥|姐|婆婆|先生|女士|同志)"
)
_END = "(?=$|[^\u4e00-\u9fff]|的|在|是|家|和|跟|住|来|说|买|要|借|拿|看|问|帮|喊|这|那|，)"
_SAYS = "(?:我的?名字(?:叫|是)|我叫|我姓|名叫|本人(?:是|叫)?|姓名|户主|联系人|农户叫|大名)"
_MARK = r"\s*[:：是叫为]{0,2}\s*"
_SIGN = "[A-Za-z0-9_-]"
_NUMBER = "[0-9零〇一二三四五六七八九十百]{1,5}"
_HOTLINE = r"(?!(?:12345|12316|12315|12320|12331|95598|96\d{3})(?!\d))"
_CHAT = (
    "(?:微信|薇信|威信|维信|[vV]信|[qQ]{2}|扣扣|企鹅|抖音|快手|支付宝|小红书|"
    "(?<![A-Za-z])(?:[vV][xX]|[wW][xX]|[wW]e[cC]hat|[wW]eixin|TG|tg)(?![a-z]))"
    "(?:群|号码|账号|号|[iI][dD])?(?:就是|也是|同)?"
)
_CALL = "(?:电话|手机|座机|短号|虚拟号|号码|联系方式|热线)(?:号码?)?[打拨]?"
_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_VILLAGE = rf"[^\W\dA-Za-z_镇乡道街在住是我的到{HIDDEN}]{{1,4}}(?:村|社区|湾|院子)\s*"
_GROUP = rf"{_NUMBER}\s*(?:村民小组|生产队|组|社|队)\s*"
_DOOR = rf"{_NUMBER}\s*号(?:附{_NUMBER}号)?"
_FLAT = rf"\s*(?:单元|楼|层|室|号|[-—]\s*{_NUMBER})(?:\s*{_NUMBER}\s*[室号]?)?"
_ASKS = "(?:找|问|喊|请|[我他她]是|叫|给|向|跟)[:： ]?"

# What goes; the first bracket, where there is one, is what stands before it and stays.
_RULES = (
    rf"{_SIGN}[A-Za-z0-9_.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    rf"({_CHAT}{_MARK})@?{_SIGN}{{4,20}}",
    rf"((?:加我?|我的?)\s*[vVqQ]\s*[:：]?\s*){_SIGN}{{5,20}}",
    # identity and bank cards, mobiles, landlines; then any long run of digits but the
    # registration of a pesticide
    r"(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx](?!\d)",
    r"(?<!\d)\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,4})?(?!\d)",
    r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ .·-]?\d){8}(?!\d)",
    r"(?<!\d)[(（]?0\d{2,3}[)）]?[ -]?\d{3,4}[ -]?\d{4}(?!\d)",
    r"(?<!\d)(?<!PD)(?<!WP)(?<!LS)\d{7,}[Xx]?",
    "[零〇一二三四五六七八九幺两]{7,}",
    rf"({_CALL}{_MARK}){_HOTLINE}\d[\d -]{{3,}}\d",
    rf"{_PROVINCE}[A-Za-z][·• -]?(?=[A-Za-z]*\d)[A-Za-z\d]{{5,6}}(?![A-Za-z\d])[挂学警港澳]?",
    # doors, a village's group, flats, numbers in a street; where a telephone was
    rf"(?:{_VILLAGE})?{_GROUP}{_DOOR}",
    rf"{_VILLAGE}{_GROUP}(?:第?\d{{1,4}}[户家])?",
    rf"{_NUMBER}\s*村\s*{_GROUP}",
    rf"{_NUMBER}\s*(?:栋|幢|号楼)\s*(?:{_NUMBER}\s*单元\s*)?{_NUMBER}{_FLAT}",
    rf"{_NUMBER}\s*单元\s*{_NUMBER}\s*[-—室号]?\s*\d{{0,4}}",
    rf"(?<=[路街巷道])\s*{_DOOR}",
    rf"(门牌(?:号码?)?{_MARK}){_NUMBER}\s*号?",
    rf"附{_NUMBER}号",
    r"((?:北纬|东经|[经纬]度)\s*[:：]?\s*)\d+(?:\.\d+)?",
    r"(?<!\d)\d{2,3}\.\d{4,}",
    # names: where somebody says his own, or whom to ask, and before a title
    rf"({_SAYS}{_MARK}){_SURNAME}{_HAN}{{0,2}}",
    rf"(我叫\s*)(?![了人他她你它别过特娃到])[\u4e00-\u9fff·]{{2,4}}{_END}",
    rf"({_ASKS}){_NO_NAME}{_SURNAME}{_GIVEN}{{1,2}}?{_TITLE}?{_END}",
    rf"{_NO_NAME}{_SURNAME}{_HAN}{{0,2}}?{_TITLE}{_END}",
)
_FOUND = tuple(map(re.compile, _RULES))
_NARROW = str.maketrans("０１２３４５６７８９－＠", "0123456789-@")


def without_names(text: str) -> str:
    """The words with a mark in place of what tells who or where somebody is."""
    told = text.translate(_NARROW)
    for found in _FOUND:
        told = found.sub(_hidden, told)
    return told


def _hidden(found: re.Match[str]) -> str:
    return (found[1] if found.re.groups else "") + HIDDEN
