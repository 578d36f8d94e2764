"""Lists of Chinese words that tell what is done from who does it."""

from __future__ import annotations


def longest_first(text: str) -> tuple[str, ...]:
    """The words of a text, so that `推开` is found before `推`."""
    return tuple(sorted(text.split(), key=len, reverse=True))


VERBS = longest_first(
    """
    动 推 拉 跳 跑 走 坐 站 躺 趴 蹲 跪 爬 飞 游 滑 滚 转 翻 摔 跌 倒 掉 落 升 降 举 抬 抱 拿 放
    捡 扔 丢 抛 投 踢 打 拍 敲 砸 撞 碰 摸 按 握 抓 捏 掰 撕 剪 切 砍 削 剥 洗 擦 扫 拖 刷 涂 抹
    画 写 读 看 听 说 讲 唱 喊 叫 哭 笑 吃 喝 咬 舔 吐 闻 睡 醒 起来 起床 穿 脱 戴 摘 换 开 关 进
    出 离开 回来 回到 到达 来到 过 穿过 经过 驶 骑 停 等 追 逃 躲 藏 找 指 挥 摆 摇 晃 点头 鞠躬
    招手 挥手 握手 拥抱 亲吻 亲 打开 关上 关闭 舒展 伸展 伸 张开 张 闭 眨 睁 低头 抬头 转身 转头
    回头 弯腰 翻身 翻开 翻书 煮 炒 煎 炸 烤 烧 倒入 倒进 搅拌 搅 揉 加 混合 撒 装 盛 端 递 给 接
    收 送 卖 买 付 数 搬 挪 移动 移 堆 叠 折 系 绑 解 拆 修 钉 挖 种 浇 摘下 采 喂 牵 遛 训练
    练习 跳舞 唱歌 弹 弹奏 吹 拉琴 演奏 表演 演讲 介绍 采访 聊天 谈话 交谈 讨论 争吵 吵架 打架
    比赛 射门 投篮 发球 进球 得分 庆祝 欢呼 鼓掌 爆炸 燃烧 着火 下雨 下雪 刮风 出现 消失 变成 变
    亮 熄灭 掀 掀开 盖 戳 挠 抖 甩 咳嗽 打喷嚏 打哈欠 打招呼 喘 呼吸 休息 工作 打字 打电话 玩
    玩耍 化妆 刮 梳 拔 插 拧 挤 倾倒 展示 使用 用 把 被 向 朝 往 对着 冲 冲向 走向 跑向 扑 扑向
    罚 冒 偷 抢 闯 撬 刷牙 洗脸 出门 剪彩 抗议 游行 签名 冲线 犯规 传球 讲解 提问 回答 举手 打翻
    靠近 接近 远离 登上 跳上 跳下 上车 下车 起飞 降落 启动 刹车 转弯 超车 行驶 驶过 驶来 开走
    叼 倒车 觅食 捕食 鸣叫 吠 吼 飘 流 滴 融化 盛开 开花 生长 落下 升起 拥挤 排队
    """
)
"""Verbs and prepositions that begin what is done, longest first."""

NOUNS_LIKE_VERBS = longest_first(
    """
    滑板 滑雪板 飞机 飞鸟 飞盘 跑车 跑道 跑步机 跳绳 跳板 走廊 推车 推土机 站台 看台 坐垫 开关
    笑脸 唱片 唱片机 洗衣机 打火机 打印机 吹风机 拖把 拖鞋 拖拉机 抱枕 画面 画家 画板 画 写字楼
    读者 听众 说明书 讲台 叫声 吃的 喝的 睡袋 睡衣 穿衣镜 戴眼镜的 换气扇 出口 进口 入口 过山车
    骑手 停车场 指针 摆钟 摇篮 摇椅 张 亮光 盖子 插座 插头 玩具 玩偶 用品 被子 对手 冲浪板 流水
    滴管 装饰 装置 点心 数字 数据 收音机 接待员 送货员 工作人员 演奏家 演员 表演者 比赛场 采摘者
    倒影 落叶 升降机 转盘 翻译 折扇 解说员 系带 切片 烤箱 烤肉 炸鸡 煎蛋 煎饼 炒饭 加油站 种子
    给水站 叠 变压器 叉车 移民 挖掘机 动物 动员 驶员 飞行员 游客
    """
)
"""Nouns whose first character is one of VERBS."""

ADVERBS = longest_first(
    """
    又 再 还 就 也 才 都 先 后 已 已经 正 正在 在 然后 接着 随后 最后 突然 慢慢 慢慢地 开始
    第一次 再次 一起 同时 终于 马上 立刻 轻轻 轻轻地 快速 快速地 不停地 一下子 刚 刚刚 连续 反复
    互相
    """
)

_COMPLEMENTS = "上下进出回过起开到完好见住掉着了走来去倒成給给在"
_SIMPLIFIED = str.maketrans(
    "開關進過來飛轉畫寫讀聽說講聞換離達經騎躲揮擺搖頭親關閉轉彎煮搖攪撒裝盛遞給賣買數搬動疊"
    "綁拆釘種澆訓練彈奏談討論爭慶鼓爆燒現變滅掀蓋撓抖噴嚏喘電腦玩妝擠傾見獵覓鳴飄開長擁",
    "开关进过来飞转画写读听说讲闻换离达经骑躲挥摆摇头亲关闭转弯煮摇搅撒装盛递给卖买数搬动叠"
    "绑拆钉种浇训练弹奏谈讨论争庆鼓爆烧现变灭掀盖挠抖喷嚏喘电脑玩妆挤倾见猎觅鸣飘开长拥",
)
VERB = rf"(?:{'|'.join(VERBS)})[{_COMPLEMENTS}]*"
"""Pattern of a verb with its complements: `翻`, `推开`, `跳了起来`."""


def begins_with_verb(text: str) -> bool:
    """`舒展了一下身体` and `又跳了起来`, not `滑板` or `狗跳起来`."""
    text = without_adverbs(text).translate(_SIMPLIFIED)
    return text.startswith(VERBS) and not text.startswith(NOUNS_LIKE_VERBS)


def has_verb(text: str) -> bool:
    """Whether the Chinese text, simplified or traditional, contains a known verb."""
    return any(verb in text.translate(_SIMPLIFIED) for verb in VERBS)


def without_adverbs(text: str) -> str:
    """`又慢慢地跳` -> `跳`."""
    previous = ""
    while text != previous:
        previous = text
        adverb = next((word for word in ADVERBS if text.startswith(word) and text != word), "")
        text = text.removeprefix(adverb)
    return text
