"""Words from which the demo company invents people, products, visits. Chinese here is data, not interface."""

from __future__ import annotations

ORGANISATION = "禾山商务用品有限公司（演示）"
#: As it stands on pages and documents.
SHORT_NAME = "禾山商务用品"
PASSWORD = "demo-heshan-2026"

#: code, name, parent
DEPARTMENTS = (
    ("HS", "禾山商务用品", None),
    ("SALES", "销售中心", "HS"),
    ("EAST", "华东销售部", "SALES"),
    ("SOUTH", "华南销售部", "SALES"),
    ("NORTH", "华北销售部", "SALES"),
    ("WEST", "西部销售部", "SALES"),
    ("SERVICE", "客户服务部", "HS"),
    ("ARCHIVE", "档案室", "HS"),
    ("FINANCE", "财务部", "HS"),
    ("IT", "信息部", "HS"),
)

#: login, name, department, title, roles
PEOPLE = (
    ("fangjing", "方敬", "HS", "总经理", ("executive",)),
    ("linyue", "林岳", "SALES", "销售总监", ()),
    ("shenlan", "沈岚", "EAST", "华东销售部经理", ()),
    ("guhao", "顾昊", "EAST", "华东销售部副经理", ()),
    ("chenxiao", "陈晓", "EAST", "客户经理", ("account_manager",)),
    ("xuwen", "徐雯", "EAST", "客户经理", ("account_manager",)),
    ("qianyu", "钱宇", "EAST", "客户经理", ("account_manager",)),
    ("liangbo", "梁博", "SOUTH", "华南销售部经理", ()),
    ("huangting", "黄婷", "SOUTH", "客户经理", ("account_manager",)),
    ("zhongming", "钟鸣", "SOUTH", "客户经理", ("account_manager",)),
    ("luojia", "罗佳", "SOUTH", "客户经理", ("account_manager",)),
    ("songyi", "宋毅", "NORTH", "华北销售部经理", ()),
    ("mengqi", "孟琪", "NORTH", "客户经理", ("account_manager",)),
    ("zhaoran", "赵然", "NORTH", "客户经理", ("account_manager",)),
    ("dingrui", "丁锐", "NORTH", "客户经理", ("account_manager",)),
    ("tangchuan", "唐川", "WEST", "西部销售部经理", ()),
    ("pengyue", "彭悦", "WEST", "客户经理", ("account_manager",)),
    ("yanlei", "严磊", "WEST", "客户经理", ("account_manager",)),
    ("caoyan", "曹妍", "SERVICE", "客户服务部经理", ("sop_editor",)),
    ("fujie", "傅洁", "SERVICE", "客服专员", ()),
    ("jiangshan", "江珊", "ARCHIVE", "档案室主任", ()),
    ("yuqing", "余清", "ARCHIVE", "档案管理员", ("archive_maintainer",)),
    ("mahui", "马慧", "ARCHIVE", "打印站操作员", ("print_operator",)),
    ("douyan", "窦彦", "FINANCE", "财务部经理", ()),
    ("shijun", "石钧", "FINANCE", "审计专员", ("auditor",)),
    ("wuke", "吴可", "IT", "系统管理员", ("administrator",)),
)

#: department → (head, deputy)
HEADS = {
    "HS": ("fangjing", None),
    "SALES": ("linyue", None),
    "EAST": ("shenlan", "guhao"),
    "SOUTH": ("liangbo", None),
    "NORTH": ("songyi", None),
    "WEST": ("tangchuan", None),
    "SERVICE": ("caoyan", None),
    "ARCHIVE": ("jiangshan", None),
    "FINANCE": ("douyan", None),
    "IT": (None, None),
}

#: Accounts that the start announces: login and what it shows.
ANNOUNCED = (
    "chenxiao",
    "shenlan",
    "huangting",
    "liangbo",
    "linyue",
    "fangjing",
    "yuqing",
    "mahui",
    "caoyan",
    "shijun",
    "wuke",
)

#: Provinces of each sales department; every other province goes to WEST.
PROVINCES = {
    "EAST": ("上海", "江苏", "浙江", "安徽", "山东", "福建"),
    "SOUTH": ("广东", "深圳", "广西", "海南", "湖南", "湖北", "江西"),
    "NORTH": ("北京", "天津", "河北", "山西", "内蒙", "辽宁", "吉林", "黑龙江", "河南"),
}

#: The one customer of the demo that everybody looks for: kept with the first account manager.
SHOWPIECE = "贵州茅台"

#: code, name, category, grade, unit, list price, unit cost, days one unit lasts
PRODUCTS = (
    ("GB-101", "禾山典藏礼盒（鎏金）", "商务礼盒", "high", "盒", "1288.00", "702.00", None),
    ("GB-102", "禾山臻选礼盒（锦绣）", "商务礼盒", "high", "盒", "888.00", "476.00", None),
    ("GB-103", "禾山雅集礼盒", "商务礼盒", "middle", "盒", "468.00", "255.00", None),
    ("GB-104", "禾山会务伴手礼", "商务礼盒", "ordinary", "份", "98.00", "52.00", None),
    ("TE-201", "武夷岩茶（大红袍）250克", "茶叶", "high", "罐", "980.00", "510.00", 30),
    ("TE-202", "明前龙井 200克", "茶叶", "high", "罐", "760.00", "398.00", 30),
    ("TE-203", "会议绿茶 500克", "茶叶", "middle", "袋", "188.00", "96.00", 15),
    ("TE-204", "袋泡茶 100袋", "茶叶", "ordinary", "盒", "42.00", "18.50", 10),
    ("WI-301", "禾山窖藏 53度 500毫升", "招待用酒", "high", "瓶", "1080.00", "560.00", 7),
    ("WI-302", "禾山陈酿 52度 500毫升", "招待用酒", "middle", "瓶", "398.00", "206.00", 7),
    ("WI-303", "半干黄酒 500毫升", "招待用酒", "ordinary", "瓶", "58.00", "27.00", 5),
    ("FU-401", "行政班台 2.4米", "办公家具", "high", "张", "8600.00", "5160.00", None),
    ("FU-402", "人体工学椅", "办公家具", "middle", "把", "1280.00", "742.00", None),
    ("FU-403", "折叠会议桌", "办公家具", "ordinary", "张", "360.00", "216.00", None),
    ("ME-501", "会议平板 86英寸", "会议设备", "high", "台", "26800.00", "18900.00", None),
    ("ME-502", "全向麦克风套装", "会议设备", "middle", "套", "3280.00", "2130.00", None),
    ("SU-601", "再生纸 A4 五包装", "办公耗材", "ordinary", "箱", "128.00", "92.00", 20),
    ("SU-602", "彩色硒鼓组合", "办公耗材", "middle", "套", "680.00", "455.00", 60),
    ("SU-603", "签约文件夹（真皮）", "办公耗材", "high", "套", "560.00", "288.00", None),
    ("SU-604", "中性笔 50支", "办公耗材", "ordinary", "盒", "45.00", "21.00", 30),
)

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN = (
    "志远 晓彤 俊杰 雅婷 建国 思源 文博 静怡 海涛 梦洁 子轩 佳宁 立新 春燕 鹏飞 慧敏 永强 雪梅 家豪 若兰 国栋 婉清 云峰 秀英 "
    "振华 诗涵 伟民 丽娜 宏宇 欣然 明哲 玉兰 天佑 可欣 世杰 美琪 少华 芷若 承恩 素素 景行 念慈 浩然 清扬 知远 采薇 德海 淑珍"
).split()
TITLES = ("采购经理", "办公室主任", "行政总监", "采购专员", "综合部部长", "董事会秘书", "总经理助理", "工会主席", "后勤主管", "财务总监")
DEPARTMENT_NAMES = ("采购部", "办公室", "行政部", "综合管理部", "董事会办公室", "后勤保障部")
INTERESTS = ("书法、品茶", "羽毛球", "登山、摄影", "足球", "围棋", "钓鱼", "马拉松", "国画", "旅行", "烹饪", "读史", "古典音乐")

SUBJECTS = {
    "visit": ("上门拜访，了解年度采购计划", "陪同考察样品间", "季度回访，听取使用意见", "商谈年度框架协议", "送样并讲解新品", "拜访新任采购负责人"),
    "phone": ("确认交货时间", "回访使用情况", "询问节日礼品需求", "沟通付款安排", "预约下周拜访", "报价后跟进"),
    "sms": ("发送发货通知", "节日问候"),
    "email": ("发送报价单", "发送合同草案", "发送产品目录", "确认订单明细"),
    "letter": ("寄送年度答谢函", "寄送样品与资料"),
    "event": ("邀请参加新品品鉴会", "客户答谢会", "行业采购对接会"),
    "web": ("官网留言咨询定制礼盒", "小程序下单咨询"),
}
RESULTS = (
    "对方认可报价，等待内部审批。",
    "需求明确，约定下次带样品。",
    "今年预算收紧，先小批试用。",
    "对交货速度满意，希望增加定制选项。",
    "目前由另一家供货，合同年底到期。",
    "同意签订年度框架协议，法务正在审核。",
    "暂无采购计划，下季度再联系。",
    "提出包装破损两件，已答应补发。",
)
OPINIONS = (
    "希望礼盒包装再简洁一些，减少塑料。",
    "建议提供按部门分送的服务。",
    "发票开具再快一些就更好。",
    "会议茶希望有小包装。",
    "样品册可以做成电子版。",
    "",
    "",
    "",
)
NEXT_STEPS = ("带样品上门", "发送正式报价", "确认合同条款", "电话回访使用情况", "邀请参加品鉴会", "催收尾款", "介绍新品", "核对节日礼品名单", "安排送货与安装")
SOURCE_NOTES = ("华东采购对接会", "进博会展台", "老客户介绍", "行业年会", "官网表单")
DEMANDS = (
    "节日礼品集中采购，单价 300 至 800 元，要求可定制标识。",
    "会议用茶与耗材按月补货，重视准时。",
    "总部搬迁，需整层办公家具与会议设备。",
    "接待用酒与礼盒，重视包装与品牌形象。",
    "供应商须通过资质审核，账期 60 天。",
)
STAGE_REASONS = {
    "potential": "初步了解，有集中采购需求",
    "opportunity": "采购需求、财力、信誉评估通过",
    "ordering": "签订首单",
    "user": "货物验收并投入使用",
    "dormant": "一年未采购，暂停跟进",
    "lost": "改由其他供应商供货",
}
